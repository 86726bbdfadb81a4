// What the verbs share that give a network to the engine: starting it, loading, and telling how far it is.
#pragma once

#include "app/cli/command.h"
#include "app/cli/engine_client.h"

#include <filesystem>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fovea::cli {

// A file for the engine's eyes, gone with this object. Error(File).
class TemporaryFile {
public:
    TemporaryFile();
    ~TemporaryFile();
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    const std::filesystem::path& path() const { return m_path; }

private:
    std::filesystem::path m_path;
};

// Error(Usage) where it is nowhere, with what to do.
std::unique_ptr<EngineClient> startEngine();

LoadReply loadInto(EngineClient& engine, const Graph& graph, const Weights& weights, const std::string& device,
                   std::uint64_t seed = 0);

// Log lines as they are, and progress on one line that is written over where `notes` is a terminal.
EngineClient::Heard tellTo(std::ostream& notes);

// Of every verb that reads images, and what they say.
std::vector<OptionSpec> dataOptions();
std::string dataHelp();
DataUse dataUse(const Arguments& arguments);
// Error(Usage) where `model` is a training run of other classes than the data has; `notes` is told where the run's own
// data has changed, so that it is split otherwise.
void checkDataOfRun(const std::string& model, const DataUse& use, std::ostream& notes);

// A share between 0 and 1, without both. Error(Usage) names the option.
double parseShare(const std::string& text, const std::string& option);

// Error(Usage) where one of `options` is given without `needed`.
void refuseWithout(const Arguments& arguments, const std::string& needed, const std::vector<OptionSpec>& options);

// The network that `--against` names, at the image side that `first` is at; nullopt without it.
struct Other {
    std::string name;
    Graph graph;
    Weights weights;
};
std::optional<Other> openOther(const Arguments& arguments, const Graph& first);

// "81.25 %"
std::string percent(double share);
// One line that counts broken images, and a line for each of the first.
void tellBroken(const BrokenImages& broken, std::ostream& notes);

}  // namespace fovea::cli
