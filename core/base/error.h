// The two kinds of trouble. An Error is thrown when a request cannot be done (file, format, usage);
// an Issue is a value that says what is unfinished or wrong in a design, and is never thrown.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <vector>

namespace fovea {

enum class ErrorCode { File, Format, Usage, Limit, Internal };

// One sentence for the user, with the frames in which it happened, innermost first.
class Error : public std::exception {
public:
    Error(ErrorCode code, std::string message);

    // Adds an outer frame, such as "model.onnx"; returns itself so that a rethrow reads well.
    Error& within(std::string frame);

    ErrorCode code() const { return m_code; }
    const std::string& message() const { return m_message; }
    const std::vector<std::string>& frames() const { return m_frames; }
    const char* what() const noexcept override { return m_text.c_str(); }

private:
    ErrorCode m_code;
    std::string m_message;
    std::vector<std::string> m_frames;
    std::string m_text;
};

enum class Severity { Info, Warning, Error };

const char* toString(Severity severity);

// A finding about a design. `code` is stable and meant for scripts; `layer` is the name of the layer it
// is about (empty: the whole network), `attribute` the attribute to look at (may be empty).
struct Issue {
    std::string code;
    Severity severity = Severity::Warning;
    std::string layer;
    std::string attribute;
    std::string message;
    std::string hint;

    bool operator==(const Issue&) const = default;
};

}  // namespace fovea
