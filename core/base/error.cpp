#include "core/base/error.h"

namespace fovea {

Error::Error(ErrorCode code, std::string message) : m_code(code), m_message(std::move(message)), m_text(m_message) {}

Error& Error::within(std::string frame)
{
    m_text += m_frames.empty() ? " (in " : " in ";
    if (!m_frames.empty()) m_text.erase(m_text.rfind(')'), 1);
    m_text += frame + ")";
    m_frames.push_back(std::move(frame));
    return *this;
}

const char* toString(Severity severity)
{
    switch (severity) {
    case Severity::Info: return "info";
    case Severity::Warning: return "warning";
    case Severity::Error: return "error";
    }
    return "error";
}

}  // namespace fovea
