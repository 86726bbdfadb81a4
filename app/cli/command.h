// One sub-command of `fovea`.
#pragma once

#include "app/cli/arguments.h"
#include "core/analysis/memory.h"
#include "core/analysis/report.h"
#include "core/io/onnx/onnx.h"

#include <iosfwd>
#include <string>
#include <vector>

namespace fovea::cli {

struct Command {
    const char* verb;
    const char* summary;  // one line of the overview
    const char* help;     // with an example
    // Writes to `out` what the user asked for and to `notes` what else is worth saying. Returns 0 or 1; throws
    // Error for everything else.
    int (*run)(const std::vector<std::string>& words, std::ostream& out, std::ostream& notes);
    bool live = false;  // long work: `notes` is standard error itself, so that what is said is read at once
};

extern const Command kAnalyze;
extern const Command kRefine;
extern const Command kConvert;
extern const Command kDiff;
extern const Command kZoo;
extern const Command kRender;
extern const Command kField;
extern const Command kTrain;
extern const Command kEval;
extern const Command kProbe;
extern const Command kMeasure;
extern const Command kRecalibrate;
extern const Command kDoctor;

// The model that the words name, with what --reach, --input and kPreprocessingOptions say checked; `size` applied where
// it is given.
struct Opened {
    Model model;        // as the file has it
    Graph graph;        // at the side in use, with stated reaches and preprocessing
    AnalysisOptions options;
};
// `use`: what --size does to a height and width that the file leaves open.
Opened openFor(const Arguments& arguments, SideUse use = SideUse::Analysed);
// "The file leaves height and width open (h, w); they are written as 64x64.", where a graph that is written states what
// the model leaves open; else nothing.
std::string statedSidesText(const Graph& model, const Graph& written);

// --mean, --std, --resize and --channel-order, where they are given, and what they say. A network that has no
// preprocessing needs mean and deviation both. Error(Usage).
extern const std::vector<OptionSpec> kPreprocessingOptions;
extern const char* const kPreprocessingHelp;
Graph statePreprocessing(Graph graph, const Arguments& arguments);

// `options` with those of `more` behind them.
std::vector<OptionSpec> joined(std::vector<OptionSpec> options, const std::vector<OptionSpec>& more);

// --batch and --element, for memory.
MemoryOptions memoryOptions(const Arguments& arguments);

// Error(Usage) where writing `output` would overwrite the model that was read, or a file of the run that it is.
void refuseOverwrite(const std::string& input, const std::string& output);

// "Wrote x.onnx." and which tensors were made because they had no values.
std::string wroteText(const std::string& path, const std::vector<std::string>& initialised);

}  // namespace fovea::cli
