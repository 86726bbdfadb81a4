// Small ONNX files for tests, node by node: what exporters write and Fovea's own records never contain.
//
//   OnnxText file(13);
//   file.input("x", {1, 3, 16, 16});
//   file.reals("w", {4, 3, 3, 3});
//   file.node("Conv x,w -> y");
//   file.node("Transpose y -> t", {{"perm", {0, 2, 3, 1}}});
//   file.output("t");
//   const Model model = file.read();
#pragma once

#include "core/io/onnx/onnx.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace fovea::test {

class OnnxText {
public:
    using Attribute = std::variant<std::int64_t, double, std::string, Ints>;
    using Attributes = std::map<std::string, Attribute>;

    explicit OnnxText(std::int64_t opset);
    ~OnnxText();
    OnnxText(OnnxText&&) noexcept;

    void input(const std::string& name, const std::vector<std::variant<std::int64_t, std::string>>& dims);
    void wholeInput(const std::string& name, const std::vector<std::variant<std::int64_t, std::string>>& dims);  // uint8
    void output(const std::string& name);
    // Initializers. Without values: small numbers that differ, the same every time.
    void reals(const std::string& name, const Ints& dims, std::vector<float> values = {});
    void integers(const std::string& name, const Ints& dims, const Ints& values);
    void bytes(const std::string& name, const Ints& dims);  // int8
    void constant(const std::string& name, const Ints& values);  // a Constant node, 1-D int64
    // "Type input,input -> output,output".
    void node(const std::string& text, const Attributes& attributes = {});

    std::string serialized() const;
    Model read() const;

private:
    struct Proto;
    std::unique_ptr<Proto> m_proto;
};

}  // namespace fovea::test
