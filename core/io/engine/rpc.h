// JSON-RPC 2.0 (https://www.jsonrpc.org/specification), one message a line, between the engine and whoever started
// it. Both ends use these functions, so the two cannot drift.
#pragma once

#include "core/io/json/json_reader.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace fovea {

// Longer lines are refused; a graph of 100,000 layers has some 40 MB.
inline constexpr std::size_t kMaxMessage = 256u << 20;

enum class RpcCode : int {
    ParseError = -32700,
    InvalidRequest = -32600,
    UnknownMethod = -32601,
    InvalidParams = -32602,
    Internal = -32603,
    Refused = -32000,  // the request cannot be done: data.kind says file, format, usage or limit
};

struct RpcRequest {
    Json id;  // null: a notification, which gets no reply
    std::string method;
    Json params;
};

struct RpcReply {
    Json id;
    Json result;        // where there is no error
    std::string error;  // one sentence; empty: none
    RpcCode code = RpcCode::Internal;
    std::string kind;  // ErrorCode of a refused request: "file", "format", "usage", "limit", "internal"
};

const char* toString(ErrorCode code);

// Lines without their end.
std::string requestLine(const Json& id, std::string_view method, const Json& params);
std::string resultLine(const Json& id, const Json& result);
std::string errorLine(const Json& id, RpcCode code, std::string_view sentence, std::string_view kind = {});

// Error(Format) where the line is no JSON, or no request.
RpcRequest requestFrom(std::string_view line);
RpcReply replyFrom(std::string_view line);

}  // namespace fovea
