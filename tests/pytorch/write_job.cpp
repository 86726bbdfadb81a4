// write_job MODEL FOLDER DATA [option=value]...: an exported job, for tests/onnx/export_job.py. Options are the
// recipe's. Prints the learning rate of every step, for seven steps an epoch.
#include "core/base/files.h"
#include "core/data/dataset.h"
#include "core/io/model/model.h"
#include "core/io/pytorch/export_job.h"
#include "core/recipe/schedule.h"

#include <cstdio>
#include <exception>

int main(int count, char** words)
{
    using namespace fovea;
    if (count < 4) return 2;
    try {
        const Model model = openModel(words[1]);
        ExportJob job{model.graph, model.weights, {}, {}};
        for (int i = 4; i < count; ++i) {
            const std::string word(words[i]);
            const std::size_t equals = word.find('=');
            const RecipeOption* option = findRecipeOption(word.substr(0, equals));
            if (!option) throw Error(ErrorCode::Usage, "There is no option '" + word + "'.");
            setOption(job.recipe, *option, word.substr(equals + 1));
        }
        job.info.name = model.graph.name();
        job.info.data = words[3];
        for (const auto& node : model.graph.nodes())
            if (node->kind == "Input") job.info.size = {node->attrs.at("shape", 2, 0), node->attrs.at("shape", 3, 0)};
        writeExportJob(words[2], job);
        if (job.info.data.starts_with("patterns")) {
            std::string pixels;  // of the first images, which the job's own generator has to make too
            const DatasetPtr train = openData(job.info.data, {}).train;
            for (std::int64_t i = 0; i < 3; ++i) {
                const Image image = train->image(i, 0);
                pixels.append(image.pixels.begin(), image.pixels.end());
            }
            writeAtomically(std::filesystem::path(words[2]) / "pixels.bin", pixels);
        }
        constexpr std::int64_t kPerEpoch = 7;
        for (std::int64_t step = 0; step < totalSteps(job.recipe, kPerEpoch); ++step)
            std::printf("%.17g\n", learningRate(job.recipe, step, kPerEpoch));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "write_job: %s\n", error.what());
        return 2;
    }
    return 0;
}
