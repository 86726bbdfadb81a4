#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/document/content_hash.h"
#include "core/io/document/document_file.h"
#include "core/io/safetensors/safetensors.h"
#include "tests/document/folder.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <random>

namespace fovea {
namespace {

std::string withHeader(const std::string& header, const std::string& data = {})
{
    const std::uint64_t length = header.size();
    std::string out(reinterpret_cast<const char*>(&length), sizeof length);
    return out + header + data;
}

std::string messageOf(const std::string& bytes)
{
    const test::Folder folder;
    writeAtomically(folder / "t.safetensors", bytes);
    try {
        readSafetensors(folder / "t.safetensors");
    } catch (const Error& error) {
        return error.message();
    }
    return "no error";
}

Weights sample()
{
    Weights weights;
    weights.set("layer1.0.conv1.weight", Tensor::fromFloats({2, 1, 1, 2}, {1, 2, 3, 4}));
    weights.set("steps", Tensor::fromIntegers({}, {42}));
    weights.set("empty", Tensor::fromFloats({0, 3}, {}));
    weights.set("bad \xff name", Tensor::fromFloats({1}, {5}));
    weights.set("__metadata__", Tensor::fromFloats({1}, {6}));
    weights.set("base64:AAAA", Tensor::fromFloats({1}, {7}));
    return weights;
}

bool equal(const Tensor& a, const Tensor& b)
{
    return a.dtype == b.dtype && a.dims == b.dims && a.bytes.size() == b.bytes.size() &&
           (a.bytes.empty() || std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) == 0);
}

TEST(Safetensors, ReturnsEveryTensorAsItWas)
{
    const test::Folder folder;
    const Weights written = sample();
    writeSafetensors(written, folder / "t.safetensors");
    const Weights read = readSafetensors(folder / "t.safetensors");
    ASSERT_EQ(read.tensors().size(), 6u);
    for (const auto& [name, tensor] : written.tensors()) {
        ASSERT_NE(read.find(name), nullptr) << name;
        EXPECT_TRUE(equal(*read.find(name), tensor)) << name;
    }
}

TEST(Safetensors, WritesWhatTheFormatSays)
{
    const test::Folder folder;
    Weights weights;
    Tensor flag;
    const std::byte one{1};
    flag.dtype = DType::Bool;
    flag.bytes = std::span(&one, 1);
    weights.set("a.flag", flag);
    weights.set("b.bias", Tensor::fromFloats({1}, {1}));
    writeSafetensors(weights, folder / "t.safetensors");
    const std::string header = "{\"b.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\n"
                               "\"a.flag\":{\"dtype\":\"BOOL\",\"shape\":[],\"data_offsets\":[4,5]}}";
    const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
    EXPECT_EQ(readText(folder / "t.safetensors", 1000), withHeader(padded, std::string("\x00\x00\x80\x3f\x01", 5)));
    EXPECT_EQ(padded.size() % 8, 0u);
}

TEST(Safetensors, ReadsEveryElementTypeOfTheFormat)
{
    for (const char* type : {"F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL"}) {
        const std::size_t size = byteSize(*dtypeFromText(type));
        const std::string header = "{\"__metadata__\":{\"format\":\"pt\"},\"x\":{\"dtype\":\"" + std::string(type) + "\",\"shape\":[2],\"data_offsets\":[0," +
                                   std::to_string(2 * size) + "]}}";
        EXPECT_EQ(messageOf(withHeader(header, std::string(2 * size, '\0'))), "no error") << type;
    }
}

TEST(Safetensors, ChangesItsHashWithAnyBit)
{
    const Weights weights = sample();
    Weights other = sample();
    EXPECT_EQ(hashOf(layOutSafetensors(weights)), hashOf(layOutSafetensors(other)));
    EXPECT_EQ(hashOf(layOutSafetensors(weights)).size(), 32u);
    other.set("steps", Tensor::fromIntegers({}, {43}));
    EXPECT_NE(hashOf(layOutSafetensors(weights)), hashOf(layOutSafetensors(other)));
    Weights renamed;
    renamed.set("x", Tensor::fromFloats({1}, {1}));
    Weights original;
    original.set("y", Tensor::fromFloats({1}, {1}));
    EXPECT_NE(hashOf(layOutSafetensors(renamed)), hashOf(layOutSafetensors(original)));
}

struct Bad {
    std::string bytes;
    std::string message;
};

TEST(Safetensors, RefusesABrokenFileWithTheReason)
{
    const auto entry = [](const std::string& fields) { return withHeader("{\"x\":{" + fields + "}}", std::string(16, '\0')); };
    const std::vector<Bad> corpus = {
        {"", "The file has 0 bytes; a safetensors file has at least 8."},
        {std::string(8, '\xff'), "The header claims 18446744073709551615 bytes, but at most 0 are possible here: the file is cut or not safetensors."},
        {withHeader("{}").substr(0, 9), "The header claims 2 bytes, but at most 1 are possible here: the file is cut or not safetensors."},
        {withHeader("[]"), "the document must be an object, but is a list."},
        {withHeader("{\"x\":3}"), "x must be an object, but is a whole number."},
        {entry(R"("dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1])"), "x.dtype is 'F8_E4M3', a type that Fovea does not read."},
        {entry(R"("dtype":"F32","data_offsets":[0,4])"), "x has no 'shape'."},
        {entry(R"("dtype":"F32","shape":[-1],"data_offsets":[0,4])"), "x.shape[0] must lie between 0 and 9223372036854775807, but is -1."},
        {entry(R"("dtype":"F32","shape":[1.5],"data_offsets":[0,4])"), "x.shape[0] must be a whole number, but is a number with a fraction."},
        {entry(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0])"), "x.shape describes more bytes than can be counted."},
        {entry(R"("dtype":"F32","shape":[3],"data_offsets":[0,16])"), "x.data_offsets span 16 bytes, but the shape needs 12."},
        {entry(R"("dtype":"F32","shape":[5],"data_offsets":[0,20])"), "The file is cut: tensor 'x' would end at byte 20 of the data, but there are 16."},
        {entry(R"("dtype":"F32","shape":[1],"data_offsets":[8,4])"), "x.data_offsets[1] must lie between 8 and 9223372036854775807, but is 4."},
        {entry(R"("dtype":"F32","shape":[1],"data_offsets":[0])"), "x.data_offsets must have 2 elements, but has 1."},
        {withHeader("{{{{{{{{"), "The text is not JSON: it breaks at line 1, column 2."},
        {withHeader("{\"x\":[[[[[[[[[[]]]]]]]]]]}"), "The JSON text is nested deeper than 4 levels."},
    };
    for (const Bad& bad : corpus) EXPECT_EQ(messageOf(bad.bytes), bad.message);
}

TEST(Safetensors, NeverCrashesWhateverBytesChange)
{
    const test::Folder folder;
    writeSafetensors(sample(), folder / "t.safetensors");
    const std::string whole = readText(folder / "t.safetensors", 10'000);
    std::mt19937 random(2);
    int refused = 0;
    volatile double sum = 0;  // every byte that a tensor claims is touched
    for (int round = 0; round < 2'000; ++round) {
        std::string changed = whole.substr(0, round % 4 ? whole.size() : random() % whole.size());
        for (int k = 0; k < 2 && !changed.empty(); ++k) changed[random() % changed.size()] = static_cast<char>(random());
        std::ofstream(folder / "changed.safetensors", std::ios::binary) << changed;
        try {
            const Weights read = readSafetensors(folder / "changed.safetensors");
            for (const auto& [name, tensor] : read.tensors())
                for (std::int64_t i = 0; i < tensor.elements(); ++i) sum = sum + tensor.real(i);
        } catch (const Error&) {
            ++refused;
        }
    }
    EXPECT_GT(refused, 1'000);
}

}  // namespace
}  // namespace fovea
