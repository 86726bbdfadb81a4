#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/json/base64.h"
#include "core/io/document/document_file.h"
#include "tests/document/folder.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

#include <random>

namespace fovea {
namespace {

using test::graphOf;

std::string messageOf(const std::string& text)
{
    try {
        graphFromText(text);
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

std::string document(const std::string& nodes, const std::string& rest = "\"outputs\":[]")
{
    return "{\"schema\":\"fovea.document/1\",\"nodes\":[" + nodes + "]," + rest + "}";
}

struct Bad {
    const char* what;
    std::string text;
    std::string message;
};

std::vector<Bad> corpus()
{
    const std::string relu = R"({"id":1,"name":"a","kind":"ReLU","inputs":[]})";
    return {
        {"empty", "", "The document is empty."},
        {"not JSON", "PK\x03\x04", "The text is not JSON: it breaks at line 1, column 1."},
        {"cut", "{\"schema\":\n \"fovea", "The text is not JSON: it breaks at line 2, column 8."},
        {"other JSON", "[1,2]", "The file is JSON, but not a Fovea document: it names no schema."},
        {"other schema", R"({"schema":"x"})", "schema must be 'fovea.document/1', but is 'x'."},
        {"schema of another type", R"({"schema":1})", "schema must be a string, but is a whole number."},
        {"newer schema", R"({"schema":"fovea.document/2"})",
         "The document has schema 'fovea.document/2', but this Fovea reads 'fovea.document/1': open it with the version that wrote it, or a newer one."},
        {"no nodes", R"({"schema":"fovea.document/1"})", "the document has no 'nodes'."},
        {"nodes of another type", R"({"schema":"fovea.document/1","nodes":{}})", "nodes must be a list, but is an object."},
        {"node of another type", document("7"), "nodes[0] must be an object, but is a whole number."},
        {"no id", document(R"({"name":"a"})"), "nodes[0] has no 'id'."},
        {"id of another type", document(R"({"id":"1"})"), "nodes[0].id must be a whole number, but is a string."},
        {"id of 0", document(R"({"id":0})"), "nodes[0].id must lie between 1 and 9007199254740992, but is 0."},
        {"id beyond 64 bits", document(R"({"id":18446744073709551615})"),
         "nodes[0].id must lie between 1 and 9007199254740992, but is 18446744073709551615."},
        {"id twice", document(relu + "," + R"({"id":1,"name":"b","kind":"ReLU","inputs":[]})"), "nodes[1].id is 1, which an earlier layer has."},
        {"name twice", document(relu + "," + R"({"id":2,"name":"a","kind":"ReLU","inputs":[]})"), "nodes[1].name is 'a', which an earlier layer has."},
        {"empty name", document(R"({"id":1,"name":"","kind":"ReLU","inputs":[]})"), "nodes[0].name must not be empty."},
        {"input of another type", document(R"({"id":1,"name":"a","kind":"ReLU","inputs":["x"]})"), "nodes[0].inputs[0] must be a list, but is a string."},
        {"input of one number", document(R"({"id":1,"name":"a","kind":"ReLU","inputs":[[1]]})"),
         "nodes[0].inputs[0] must be [layer, output] or null, but has 1 elements."},
        {"input from nowhere", document(R"({"id":1,"name":"a","kind":"ReLU","inputs":[null,[9,0]]})"),
         "nodes[0].inputs[1] names layer 9, which does not exist."},
        {"negative output", document(R"({"id":1,"name":"a","kind":"ReLU","inputs":[[1,-1]]})"),
         "nodes[0].inputs[0][1] must lie between 0 and 1000000, but is -1."},
        {"attribute list of mixed types", document(R"({"id":1,"name":"a","kind":"ReLU","inputs":[],"attrs":{"k":[3,2.5]}})"),
         "nodes[0].attrs.k[1] must be a whole number, but is a number with a fraction."},
        {"attribute that is an object", document(R"({"id":1,"name":"a","kind":"ReLU","inputs":[],"attrs":{"k":{}}})"),
         "nodes[0].attrs.k must be a string, but is an object."},
        {"attribute that is null", document(R"({"id":1,"name":"a","kind":"ReLU","inputs":[],"attrs":{"k":null}})"),
         "nodes[0].attrs.k must be a number, a text, true, false or a list of whole numbers, but is null."},
        {"tensor of another type", document(R"({"id":1,"name":"a","kind":"ReLU","inputs":[],"tensors":{"weight":3}})"),
         "nodes[0].tensors.weight must be a string, but is a whole number."},
        {"output from nowhere", document("", R"("outputs":[{"name":"y","from":[3,0]}])"), "outputs[0] names layer 3, which does not exist."},
        {"counter below an id", document(relu, R"("outputs":[],"next_id":1)"), "next_id must be above every layer's id (1), but is 1."},
        {"severity of another kind", document("", R"("outputs":[],"notes":[{"code":"a","severity":"awful","message":"m"}])"),
         "notes[0].severity must be error, warning or info, but is 'awful'."},
        {"weights elsewhere", document("", R"("outputs":[],"weights":"../../etc/passwd")"),
         "weights must be the name of a file beside the document, but is '../../etc/passwd'."},
        {"origin that is not base64",
         document(relu, R"("outputs":[],"import":{"origins":[{"layer":1,"nodes":["a=b="],"inputs":[],"outputs":[],"input_names":[],"output_names":[],"sizes_baked":false}]})"),
         "import.origins[0].nodes[0] is not base64."},
        {"origin that points outside",
         document(relu, R"("outputs":[],"import":{"origins":[{"layer":1,"nodes":[4],"inputs":[],"outputs":[],"input_names":[],"output_names":[],"sizes_baked":false}]})"),
         "import.origins[0].nodes[0] points at a node of the imported file, but the document holds none."},
        {"preprocessing: resize below 0", document(relu, R"("outputs":[],"preprocessing":{"resize":-1,"order":"rgb","mean":[0],"deviation":[1]})"),
         "preprocessing.resize must lie between 0 and 65536, but is -1."},
        {"preprocessing: no such order", document(relu, R"("outputs":[],"preprocessing":{"resize":0,"order":"gbr","mean":[0],"deviation":[1]})"),
         "preprocessing.order must be rgb or bgr, but is 'gbr'."},
        {"preprocessing: deviation of 0", document(relu, R"("outputs":[],"preprocessing":{"resize":0,"order":"rgb","mean":[0,0],"deviation":[1,0]})"),
         "preprocessing.deviation[1] must be above 0 (at least 1e-6), but is 0."},
        {"preprocessing: mean that is no number", document(relu, R"("outputs":[],"preprocessing":{"resize":0,"order":"rgb","mean":["0"],"deviation":[1]})"),
         "preprocessing.mean[0] must be a number, but is a string."},
        {"preprocessing: mean without bounds", document(relu, R"("outputs":[],"preprocessing":{"resize":0,"order":"rgb","mean":[1e300],"deviation":[1]})"),
         "preprocessing.mean[0] must lie between -1000000.0 and 1000000.0, but is 1e+300."},
        {"preprocessing: no mean", document(relu, R"("outputs":[],"preprocessing":{"resize":0,"order":"rgb","mean":[],"deviation":[1]})"),
         "preprocessing.mean must have one number for each channel, but has 0."},
        {"preprocessing: lists of two lengths", document(relu, R"("outputs":[],"preprocessing":{"resize":0,"order":"rgb","mean":[0,0,0],"deviation":[1]})"),
         "preprocessing.deviation has 1 numbers, but the mean has 3."},
        {"number beyond any type", R"({"schema":1e999})", "The text is not JSON: it holds a number that no type can hold."},
    };
}

TEST(HostileDocument, IsRefusedWithThePlaceAndTheReason)
{
    for (const Bad& bad : corpus()) EXPECT_EQ(messageOf(bad.text), bad.message) << bad.what;
}

TEST(HostileDocument, IsRefusedWhenItIsNestedWithoutEnd)
{
    EXPECT_EQ(messageOf(std::string(10'000'000, '[')), "The JSON text is nested deeper than 32 levels.");
    std::string objects;
    for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
    EXPECT_EQ(messageOf(objects), "The JSON text is nested deeper than 32 levels.");
}

TEST(HostileDocument, IsRefusedWhenAnObjectHasKeysWithoutEnd)
{
    std::string text = "{";
    for (int i = 0; i < 100'000; ++i) text += "\"" + std::to_string(i) + "\":0,";
    EXPECT_EQ(messageOf(text), "The JSON text has an object of more than 512 keys.");
}

TEST(HostileDocument, IsRefusedAtEveryLengthItMayBeCutTo)
{
    const std::string text = documentText(graphOf("input 3x8x8 > conv:stem k=3 c=4 > relu"));
    for (std::size_t length = 0; length + 2 < text.size(); ++length) EXPECT_THROW(graphFromText(text.substr(0, length)), Error) << length;
    EXPECT_NO_THROW(graphFromText(text));
}

TEST(HostileDocument, NeverCrashesWhateverBytesChange)
{
    const std::string text = documentText(graphOf("input 3x8x8 > conv:stem k=3 c=4 > relu:r; @stem > add @r"));
    std::mt19937 random(1);
    int refused = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string changed = text;
        for (int k = 0; k < 3; ++k) changed[random() % changed.size()] = static_cast<char>(random());
        try {
            graphFromText(changed);
        } catch (const Error&) {
            ++refused;
        }
    }
    EXPECT_GT(refused, 10'000);
    EXPECT_LT(refused, 20'000);
}

TEST(HostileDocument, NamesTheFileInTheMessage)
{
    const test::Folder folder;
    writeAtomically(folder / "broken.fovea", "{");
    try {
        readDocument(folder / "broken.fovea");
        FAIL();
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "The text is not JSON: it breaks at line 1, column 2. (in broken.fovea)");
    }
}

TEST(HostileDocument, ThatNamesMissingWeightsSaysWhichFileIsMissing)
{
    const test::Folder folder;
    writeAtomically(folder / "a.fovea", document("", R"("outputs":[],"weights":"a.0.safetensors")"));
    try {
        readDocument(folder / "a.fovea");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::File);
        EXPECT_STREQ(error.what(), "The weights 'a.0.safetensors' are missing: they must lie beside the document. (in a.fovea)");
    }
}

TEST(Base64, ReadsBackEveryLength)
{
    std::string bytes;
    for (int i = 0; i < 300; ++i) {
        EXPECT_EQ(fromBase64(toBase64(bytes)), bytes);
        bytes += static_cast<char>(i * 7);
    }
    EXPECT_EQ(toBase64("fovea"), "Zm92ZWE=");
}

TEST(Base64, RefusesWhatIsNotBase64)
{
    for (const char* text : {"a", "ab=c", "a===", "====", "ab c", "Zm9=Zm92"}) EXPECT_FALSE(fromBase64(text)) << text;
}

}  // namespace
}  // namespace fovea
