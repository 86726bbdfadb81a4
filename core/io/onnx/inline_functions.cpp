#include "core/io/onnx/inline_functions.h"

#include "core/base/error.h"

#include <google/protobuf/unknown_field_set.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace fovea {

namespace {

constexpr int kMaxDepth = 32;
constexpr std::size_t kMaxNodes = 500'000;

using Names = std::map<std::string, std::string>;

// Defaults of a function's attributes came with IR version 9, as field 11, which the library does not know yet.
std::vector<onnx::AttributeProto> defaultsOf(const onnx::FunctionProto& function)
{
    constexpr int kField = 11;
    std::vector<onnx::AttributeProto> out;
    const auto& unknown = function.unknown_fields();
    for (int i = 0; i < unknown.field_count(); ++i) {
        const auto& field = unknown.field(i);
        if (field.number() != kField || field.type() != google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED) continue;
        if (onnx::AttributeProto attribute; attribute.ParseFromString(field.length_delimited()))
            out.push_back(std::move(attribute));
    }
    return out;
}

class Inliner {
public:
    explicit Inliner(const onnx::ModelProto& model) : m_model(model)
    {
        for (const auto& function : model.functions()) m_functions[{function.domain(), function.name()}] = &function;
        for (const auto& node : model.graph().node())
            for (const std::string& name : node.output()) m_taken.insert(name);
        for (const auto& input : model.graph().input()) m_taken.insert(input.name());
        for (const auto& tensor : model.graph().initializer()) m_taken.insert(tensor.name());
    }

    std::optional<onnx::ModelProto> run()
    {
        bool any = false;
        for (const auto& node : m_model.graph().node()) any = any || find(node);
        if (!any) return std::nullopt;
        for (const auto& node : m_model.graph().node()) add(node, 0);
        onnx::ModelProto out = m_model;
        out.mutable_graph()->mutable_node()->Swap(&m_nodes);
        addDomains(out);
        return out;
    }

private:
    const onnx::FunctionProto* find(const onnx::NodeProto& node) const
    {
        const auto it = m_functions.find({node.domain(), node.op_type()});
        return it == m_functions.end() ? nullptr : it->second;
    }

    void add(const onnx::NodeProto& node, int depth)
    {
        if (const onnx::FunctionProto* function = find(node)) {
            if (depth == kMaxDepth)
                throw Error(ErrorCode::Format, "The function '" + function->name() + "' calls itself.");
            call(*function, node, depth);
            return;
        }
        if (static_cast<std::size_t>(m_nodes.size()) >= kMaxNodes)
            throw Error(ErrorCode::Limit,
                        "The model's functions make more than " + std::to_string(kMaxNodes) + " nodes.");
        *m_nodes.Add() = node;
    }

    std::string fresh(const std::string& wanted)
    {
        std::string name = wanted;
        for (int i = 1; !m_taken.insert(name).second; ++i) name = wanted + "_" + std::to_string(i);
        return name;
    }

    void call(const onnx::FunctionProto& function, const onnx::NodeProto& node, int depth)
    {
        const std::string scope = (node.name().empty() ? node.op_type() : node.name()) + "/";
        Names names;
        for (int i = 0; i < function.input_size(); ++i)
            names[function.input(i)] = i < node.input_size() ? node.input(i) : std::string();
        for (int i = 0; i < function.output_size(); ++i)
            if (i < node.output_size() && !node.output(i).empty()) names[function.output(i)] = node.output(i);
        for (const auto& inner : function.node())
            for (const std::string& name : inner.output())
                if (!name.empty() && !names.contains(name)) names[name] = fresh(scope + name);
        std::map<std::string, onnx::AttributeProto> given;
        for (auto& attribute : defaultsOf(function)) given[attribute.name()] = attribute;
        for (const auto& attribute : node.attribute()) given[attribute.name()] = attribute;
        for (const auto& inner : function.node()) {
            onnx::NodeProto copy = inner;
            rename(copy, names);
            fill(copy, given);
            copy.set_name(scope + (inner.name().empty() ? inner.op_type() : inner.name()));
            add(copy, depth + 1);
        }
        for (const auto& import : function.opset_import()) m_domains.emplace(import.domain(), import.version());
        passThrough(function, node);
    }

    // An output that is an input of the function.
    void passThrough(const onnx::FunctionProto& function, const onnx::NodeProto& node)
    {
        std::set<std::string> made;
        for (const auto& inner : function.node()) made.insert(inner.output().begin(), inner.output().end());
        for (int i = 0; i < function.output_size() && i < node.output_size(); ++i) {
            if (made.contains(function.output(i)) || node.output(i).empty()) continue;
            for (int k = 0; k < function.input_size() && k < node.input_size(); ++k) {
                if (function.input(k) != function.output(i)) continue;
                onnx::NodeProto identity;
                identity.set_op_type("Identity");
                identity.set_name(node.name());
                identity.add_input(node.input(k));
                identity.add_output(node.output(i));
                add(identity, 0);
            }
        }
    }

    static void renameIn(google::protobuf::RepeatedPtrField<std::string>& list, const Names& names)
    {
        for (std::string& name : list)
            if (const auto it = names.find(name); it != names.end()) name = it->second;
    }

    static void rename(onnx::NodeProto& node, const Names& names)
    {
        renameIn(*node.mutable_input(), names);
        renameIn(*node.mutable_output(), names);
        for (auto& attribute : *node.mutable_attribute()) {
            if (attribute.has_g()) renameInside(*attribute.mutable_g(), names);
            for (auto& graph : *attribute.mutable_graphs()) renameInside(graph, names);
        }
    }

    // Names that the subgraph defines itself hide those around it.
    static void renameInside(onnx::GraphProto& graph, Names names)
    {
        for (const auto& input : graph.input()) names.erase(input.name());
        for (const auto& tensor : graph.initializer()) names.erase(tensor.name());
        for (const auto& node : graph.node())
            for (const std::string& name : node.output()) names.erase(name);
        for (auto& node : *graph.mutable_node()) rename(node, names);
        for (auto& output : *graph.mutable_output())
            if (const auto it = names.find(output.name()); it != names.end()) output.set_name(it->second);
    }

    // Attributes that the body takes from the call; one that nobody gives is left out.
    static void fill(onnx::NodeProto& node, const std::map<std::string, onnx::AttributeProto>& given)
    {
        google::protobuf::RepeatedPtrField<onnx::AttributeProto> kept;
        for (auto& attribute : *node.mutable_attribute()) {
            if (attribute.has_g()) fillInside(*attribute.mutable_g(), given);
            for (auto& graph : *attribute.mutable_graphs()) fillInside(graph, given);
            if (attribute.ref_attr_name().empty()) {
                *kept.Add() = attribute;
                continue;
            }
            const auto it = given.find(attribute.ref_attr_name());
            if (it == given.end()) continue;
            onnx::AttributeProto* filled = kept.Add();
            *filled = it->second;
            filled->set_name(attribute.name());
        }
        node.mutable_attribute()->Swap(&kept);
    }

    static void fillInside(onnx::GraphProto& graph, const std::map<std::string, onnx::AttributeProto>& given)
    {
        for (auto& node : *graph.mutable_node()) fill(node, given);
    }

    void addDomains(onnx::ModelProto& model) const
    {
        for (const auto& [domain, version] : m_domains) {
            bool known = false;
            for (const auto& import : model.opset_import()) known = known || import.domain() == domain;
            if (known) continue;
            auto* import = model.add_opset_import();
            import->set_domain(domain);
            import->set_version(version);
        }
    }

    const onnx::ModelProto& m_model;
    std::map<std::pair<std::string, std::string>, const onnx::FunctionProto*> m_functions;
    std::map<std::string, std::int64_t> m_domains;
    std::set<std::string> m_taken;
    google::protobuf::RepeatedPtrField<onnx::NodeProto> m_nodes;
};

}  // namespace

std::optional<onnx::ModelProto> withFunctionsInlined(const onnx::ModelProto& model)
{
    if (model.functions_size() == 0) return std::nullopt;
    return Inliner(model).run();
}

}  // namespace fovea
