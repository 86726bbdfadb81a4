#include "core/io/engine/rpc.h"

namespace fovea {

namespace {

void checkVersion(const JsonAt& top)
{
    if (top.at("jsonrpc").text() != "2.0") top.at("jsonrpc").wrong("must be '2.0'");
}

Json idOf(const JsonAt& top)
{
    const auto id = top.find("id");
    if (!id) return nullptr;
    if (!id->json().is_string() && !id->json().is_number_integer()) id->fail("be a string or a whole number");
    return id->json();
}

}  // namespace

const char* toString(ErrorCode code)
{
    switch (code) {
    case ErrorCode::File: return "file";
    case ErrorCode::Format: return "format";
    case ErrorCode::Usage: return "usage";
    case ErrorCode::Limit: return "limit";
    case ErrorCode::Internal: return "internal";
    }
    return "internal";
}

std::string requestLine(const Json& id, std::string_view method, const Json& params)
{
    Json out{{"jsonrpc", "2.0"}};
    if (!id.is_null()) out["id"] = id;
    out["method"] = std::string(method);
    out["params"] = params;
    return jsonLine(out);
}

std::string resultLine(const Json& id, const Json& result)
{
    return jsonLine(Json{{"jsonrpc", "2.0"}, {"id", id}, {"result", result}});
}

std::string errorLine(const Json& id, RpcCode code, std::string_view sentence, std::string_view kind)
{
    Json error{{"code", static_cast<int>(code)}, {"message", std::string(sentence)}};
    if (!kind.empty()) error["data"] = Json{{"kind", std::string(kind)}};
    return jsonLine(Json{{"jsonrpc", "2.0"}, {"id", id}, {"error", error}});
}

RpcRequest requestFrom(std::string_view line)
{
    const Json root = parseJson(line);
    const JsonAt top(root);
    checkVersion(top);
    const auto params = top.find("params");
    return {idOf(top), top.at("method").text(), params ? params->object() : Json::object()};
}

RpcReply replyFrom(std::string_view line)
{
    const Json root = parseJson(line);
    const JsonAt top(root);
    checkVersion(top);
    RpcReply out;
    out.id = idOf(top);
    const auto error = top.find("error");
    if (!error) {
        out.result = top.at("result").json();
        return out;
    }
    out.error = error->at("message").text();
    out.code = static_cast<RpcCode>(error->at("code").integer(-100'000, 100'000));
    if (const auto data = error->find("data")) out.kind = data->at("kind").text();
    return out;
}

}  // namespace fovea
