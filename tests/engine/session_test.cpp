#include "app/engine/channel.h"
#include "app/engine/session.h"
#include "core/io/engine/rpc.h"
#include "core/io/safetensors/safetensors.h"
#include "tests/document/folder.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <unistd.h>

namespace fovea {
namespace {

using engine::Channel;
using engine::Session;

template <typename Request>
std::string ask(Session& session, const Request& request)
{
    return session.answer(requestLine(1, Request::kMethod, toJson(request)));
}

LoadRequest smallNetwork()
{
    LoadRequest request;
    request.graph = test::graphOf("input 1x4x4 > conv:c k=3 p=1 c=1 bias=0 > relu:r");
    return request;
}

// A 3x3 kernel that only passes its middle on, doubled.
Tensor doubling() { return Tensor::fromFloats({1, 1, 3, 3}, {0, 0, 0, 0, 2, 0, 0, 0, 0}); }

TEST(Session, RunsTheNetworkOnWeightsAndInputsFromFiles)
{
    test::Folder folder;
    Weights weights, inputs;
    weights.set("c.weight", doubling());
    std::vector<float> image(16, -1);
    image[5] = 3;
    inputs.set("input", Tensor::fromFloats({1, 1, 4, 4}, image));
    writeSafetensors(weights, folder.path() / "w.safetensors");
    writeSafetensors(inputs, folder.path() / "in.safetensors");
    Session session;
    LoadRequest load = smallNetwork();
    load.weights = {folder.path() / "w.safetensors"};
    const RpcReply loaded = replyFrom(ask(session, load));
    ASSERT_EQ(loaded.error, "");
    const auto reply = messageFrom<LoadReply>(loaded.result);
    EXPECT_EQ(reply.given, 1);
    EXPECT_EQ(reply.initialised, 0);
    ForwardRequest forward;
    forward.inputs = folder.path() / "in.safetensors";
    forward.outputs = folder.path() / "out.safetensors";
    ASSERT_EQ(replyFrom(ask(session, forward)).error, "");
    const Weights written = readSafetensors(folder.path() / "out.safetensors");
    const Tensor* out = written.find("r");
    ASSERT_TRUE(out);
    EXPECT_EQ(out->dims, (Ints{1, 1, 4, 4}));
    for (std::int64_t i = 0; i < 16; ++i) EXPECT_EQ(out->real(i), i == 5 ? 6 : 0);
}

TEST(Session, TakesTensorsFromPlacesInsideFiles)
{
    test::Folder folder;
    const Tensor kernel = doubling();
    std::ofstream file(folder.path() / "raw", std::ios::binary);
    file.write("12345", 5);
    file.write(reinterpret_cast<const char*>(kernel.bytes.data()), static_cast<std::streamsize>(kernel.bytes.size()));
    file.close();
    Session session;
    LoadRequest load = smallNetwork();
    load.tensors = {{"c.weight", folder.path() / "raw", 5, DType::Float32, {1, 1, 3, 3}}};
    ASSERT_EQ(replyFrom(ask(session, load)).error, "");
    ForwardRequest forward;
    forward.seed = 9;
    const auto reply = messageFrom<ForwardReply>(replyFrom(ask(session, forward)).result);
    ASSERT_EQ(reply.outputs.size(), 1u);
    EXPECT_GE(reply.outputs[0].low, 1.0);  // noise in (0.5, 1.5), doubled
    EXPECT_LE(reply.outputs[0].high, 3.0);
    load.tensors[0].offset = 6;
    EXPECT_EQ(replyFrom(ask(session, load)).error, "Tensor 'c.weight' needs 36 bytes from byte 6 on, but '" +
                                                       (folder.path() / "raw").string() + "' has 41.");
}

TEST(Session, InitialisesWhatHasNoValuesFromTheSeed)
{
    Session session;
    LoadRequest load = smallNetwork();
    const auto lowest = [&](std::uint64_t seed) {
        load.seed = seed;
        EXPECT_EQ(messageFrom<LoadReply>(replyFrom(ask(session, load)).result).initialised, 1);
        return messageFrom<ForwardReply>(replyFrom(ask(session, ForwardRequest{})).result).outputs[0].mean;
    };
    EXPECT_EQ(lowest(1), lowest(1));
    EXPECT_NE(lowest(1), lowest(2));
}

TEST(Session, MeasuresTheGradientOfAUnitAtTheAskedSide)
{
    test::Folder folder;
    Session session;
    LoadRequest load;
    load.graph = test::graphOf("input 3x32x32 > conv:a k=3 s=2 p=1 c=4 > conv:b k=5x1 p=2x0 c=2");
    load.size = {{20, 16}};
    load.support = true;
    ASSERT_EQ(replyFrom(ask(session, load)).error, "");
    GradientRequest request;
    request.layer = "b";
    request.image = folder.path() / "g.safetensors";
    const auto reply = messageFrom<GradientReply>(replyFrom(ask(session, request)).result);
    EXPECT_EQ(reply.unit, (std::array<std::int64_t, 2>{5, 4}));
    EXPECT_EQ(reply.box, (PixelBox{5, 7, 16, 10}));
    const Weights written = readSafetensors(folder.path() / "g.safetensors");
    ASSERT_TRUE(written.find("gradient"));
    EXPECT_EQ(written.find("gradient")->dims, (Ints{20, 16}));
}

TEST(Session, NamesLayersWithoutAPyTorchForm)
{
    Session session;
    LoadRequest load;
    load.graph = test::graphOf("input 3x8x8 > opaque:custom > opaque:other");
    const RpcReply reply = replyFrom(ask(session, load));
    EXPECT_EQ(reply.error,
              "These layers have no PyTorch form, so the network cannot be run: 'custom', 'other'. (in the network)");
    EXPECT_EQ(reply.kind, "usage");
}

TEST(Session, TranslatesWhatLibTorchRefuses)
{
    test::Folder folder;
    Weights inputs;
    inputs.set("input", Tensor::fromFloats({1, 2, 4, 4}, std::vector<float>(32)));
    writeSafetensors(inputs, folder.path() / "in.safetensors");
    Session session;
    ask(session, smallNetwork());
    ForwardRequest forward;
    forward.inputs = folder.path() / "in.safetensors";
    const RpcReply reply = replyFrom(ask(session, forward));
    EXPECT_EQ(reply.kind, "usage");
    EXPECT_NE(reply.error.find("expected input[1, 2, 4, 4] to have 1 channels"), std::string::npos) << reply.error;
    EXPECT_NE(reply.error.find("layer 'c'"), std::string::npos) << reply.error;
    LoadRequest load = smallNetwork();
    load.device = "warp";
    EXPECT_NE(replyFrom(ask(session, load)).error.find("device 'warp'"), std::string::npos);
}

TEST(Session, SurvivesAnythingOnALine)
{
    Session session;
    std::mt19937 random(3);
    const std::string good = requestLine(1, LoadRequest::kMethod, toJson(smallNetwork()));
    for (int round = 0; round < 3000; ++round) {
        std::string line = good;
        for (int i = 0; i < 1 + round % 4; ++i) line[random() % line.size()] = static_cast<char>(1 + random() % 255);
        if (round % 3 == 0) line.resize(random() % line.size());
        std::erase(line, '\n');
        const std::string reply = session.answer(line);
        if (!reply.empty()) {
            EXPECT_NO_THROW(replyFrom(reply)) << line;
        }
    }
    EXPECT_EQ(replyFrom(ask(session, HelloRequest{})).error, "");
}

TEST(Channel, SkipsALineThatIsTooLongAndGoesOn)
{
    int ends[2], out[2];
    ASSERT_EQ(::pipe(ends), 0);
    ASSERT_EQ(::pipe(out), 0);
    const std::string text = "first\n" + std::string(50, 'x') + "\nlast\nunfinished";
    ASSERT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ::close(ends[1]);
    Channel channel(ends[0], out[1], 20);
    EXPECT_EQ(channel.read()->text, "first");
    const auto skipped = channel.read();
    EXPECT_TRUE(skipped->tooLong);
    EXPECT_EQ(skipped->text, "");
    EXPECT_EQ(channel.read()->text, "last");
    EXPECT_EQ(channel.read()->text, "unfinished");
    EXPECT_FALSE(channel.read());
    EXPECT_TRUE(channel.write("reply"));
    char reply[16] = {};
    EXPECT_EQ(::read(out[0], reply, sizeof reply), 6);
    EXPECT_STREQ(reply, "reply\n");
    for (const int descriptor : {ends[0], out[0], out[1]}) ::close(descriptor);
}

}  // namespace
}  // namespace fovea
