#include "app/cli/cli.h"

#include "app/cli/command.h"
#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/base/spelling.h"

#include <algorithm>
#include <array>
#include <new>
#include <sstream>

namespace fovea {

namespace {

using cli::Command;

constexpr std::array kCommands = {&cli::kAnalyze, &cli::kRefine, &cli::kConvert, &cli::kDiff, &cli::kZoo, &cli::kRender, &cli::kField, &cli::kTrain, &cli::kEval, &cli::kProbe, &cli::kMeasure, &cli::kRecalibrate, &cli::kDoctor};

std::string overview()
{
    std::string text = "Receptive field analysis and refinement of convolutional networks.\n\n"
                       "Usage: fovea VERB ...\n\n";
    for (const Command* command : kCommands) {
        std::string verb = command->verb;
        verb.resize(13, ' ');
        text += "  " + verb + command->summary + "\n";
    }
    text += "\n'fovea VERB --help' explains one of them with an example; 'fovea --version' names the version.\n"
            "MODEL is a .onnx file, a .fovea document, the folder of a training run, or zoo:NAME[,key=value...].\n"
            "Exit codes: 0 done, 1 the check asked for fails, 2 bad input or usage, 3 internal error.\n\n"
            "Example: fovea analyze zoo:example --size 64\n";
    return text;
}

const Command& commandFor(const std::string& verb)
{
    std::vector<std::string> verbs;
    for (const Command* command : kCommands) {
        if (verb == command->verb) return *command;
        verbs.push_back(command->verb);
    }
    throw Error(ErrorCode::Usage, "Unknown command '" + verb + "'." + suggestion(verb, verbs) + " See 'fovea --help'.");
}

bool asksForHelp(const std::vector<std::string>& words)
{
    const auto end = std::find(words.begin(), words.end(), "--");
    return std::any_of(words.begin(), end, [](const std::string& word) { return word == "--help" || word == "-h"; });
}

int dispatch(const std::vector<std::string>& args, std::ostream& out, std::ostream& notes, std::ostream& live)
{
    if (args.empty()) throw Error(ErrorCode::Usage, "A command is missing. See 'fovea --help'.");
    if (args[0] == "--version") {
        out << "fovea " << FOVEA_VERSION << "\n";
        return 0;
    }
    if (args[0] == "--help" || args[0] == "-h") {
        out << overview();
        return 0;
    }
    const Command& command = commandFor(args[0]);
    const std::vector<std::string> words(args.begin() + 1, args.end());
    if (asksForHelp(words)) {
        out << command.help;
        return 0;
    }
    return command.run(words, out, command.live ? live : notes);
}

int fail(std::ostream& err, int code, const std::string& sentence)
{
    err << "fovea: " << printable(sentence) << "\n";
    return code;
}

}  // namespace

int runCli(const std::vector<std::string>& args, std::ostream& out, std::ostream& err)
{
    std::ostringstream result, notes;
    try {
        const int code = dispatch(args, result, notes, err);
        out << result.str();
        err << notes.str();
        return code;
    } catch (const Error& error) {
        return fail(err, error.code() == ErrorCode::Internal ? 3 : 2, error.what());
    } catch (const std::bad_alloc&) {
        return fail(err, 3, "There is not enough memory for this.");
    } catch (const std::exception& error) {
        return fail(err, 3, std::string("Internal error: ") + error.what() + ".");
    }
}

}  // namespace fovea
