#include "app/cli/command.h"
#include "app/cli/engine_client.h"
#include "app/cli/programs.h"
#include "core/io/json/json_reader.h"

#include <cstdio>
#include <ostream>

namespace fovea::cli {

namespace {

constexpr const char* kHelp =
    "Says what this machine can train with: which LibTorch, which devices, and why a GPU is not used.\n\n"
    "Usage: fovea doctor [--json]\n\n"
    "Exits 1 where there is no fovea-engine; analysis, refinement and conversion work without it.\n\n"
    "Example: fovea doctor\n";

constexpr const char* kNoEngine = "fovea-engine is neither beside this program nor on PATH. Install LibTorch (Debian: "
                                  "libtorch-dev) and configure the build again, or build the "
                                  "engine alone with -DFOVEA_ENGINE_ONLY=ON.";

std::string memoryText(std::int64_t bytes)
{
    if (bytes <= 0) return "memory unknown";
    char text[32];
    std::snprintf(text, sizeof text, "%.1f GiB", static_cast<double>(bytes) / (1 << 30));
    return text;
}

void print(const HelloReply& hello, const std::string& program, std::ostream& out)
{
    out << "fovea-engine  " << program << " (version " << hello.fovea << ", protocol " << hello.protocol << ")\n";
    out << "LibTorch      " << hello.libtorch << "\n";
    for (const auto& device : hello.devices)
        out << "device        " << device.name << ", " << memoryText(device.memory) << "\n";
    if (!hello.whyNoGpu.empty()) out << "no GPU        " << hello.whyNoGpu << "\n";
}

int run(const std::vector<std::string>& words, std::ostream& out, std::ostream&)
{
    const Arguments arguments("doctor", words, {{"--json"}}, {});
    const auto program = findEngine();
    Json json{{"schema", "fovea.doctor/1"}, {"fovea", FOVEA_VERSION}, {"engine", nullptr}};
    if (!arguments.has("--json")) out << "fovea         " << FOVEA_VERSION << "\n";
    if (!program) {
        if (arguments.has("--json")) out << jsonLine(json) << "\n";
        else out << "no engine     " << kNoEngine << "\n";
        return 1;
    }
    const EngineClient engine(*program);
    json["engine"] = toJson(engine.hello());
    json["engine"]["program"] = textJson(program->string());
    if (arguments.has("--json")) out << jsonLine(json) << "\n";
    else print(engine.hello(), program->string(), out);
    return 0;
}

}  // namespace

const Command kDoctor{"doctor", "say which LibTorch and devices there are", kHelp, run};

}  // namespace fovea::cli
