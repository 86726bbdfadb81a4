#include "core/io/document/document_text.h"

#include "core/io/json/base64.h"
#include "core/io/document/document_file.h"
#include "core/io/json/graph_json.h"
#include "core/io/json/preprocessing_json.h"

namespace fovea {

namespace {

constexpr std::string_view kSchemaFamily = "fovea.document/";
constexpr std::string_view kSchema = "fovea.document/1";

// "key": [ one item a line ]
void appendList(std::string& out, const char* key, const std::vector<Json>& items)
{
    out += std::string("\"") + key + "\":[";
    for (std::size_t i = 0; i < items.size(); ++i) out += (i ? ",\n" : "\n") + jsonLine(items[i]);
    out += items.empty() ? "]" : "\n]";
}

void appendMember(std::string& out, const char* key, const Json& value) { out += std::string("\"") + key + "\":" + jsonLine(value); }

std::vector<std::string> fileNodes(const OnnxOrigin* onnx)
{
    std::vector<std::string> out;
    if (onnx)
        for (const OnnxOrigin::FileNode& node : onnx->nodes) out.push_back(node.bytes);
    return out;
}

void appendOnnx(std::string& out, const OnnxOrigin& onnx)
{
    std::vector<Json> nodes, initializers;
    for (const OnnxOrigin::FileNode& node : onnx.nodes)
        nodes.push_back(Json{{"layer", node.layer == kNoNode ? Json(nullptr) : Json(node.layer)}, {"bytes", toBase64(node.bytes)}});
    for (const std::string& name : onnx.initializers) initializers.push_back(textJson(name));
    out += "\"onnx\":{\n";
    appendMember(out, "skeleton", toBase64(onnx.skeleton));
    out += ",\n";
    appendList(out, "nodes", nodes);
    out += ",\n";
    appendList(out, "initializers", initializers);
    out += "\n}";
}

// How the file that the network came from wrote it, apart from the layers so that they stay readable.
void appendImport(std::string& out, const Graph& graph, const OnnxOrigin* onnx)
{
    const std::vector<std::string> all = fileNodes(onnx);
    const KnownNodes known(all);
    std::vector<Json> origins;
    for (const auto& node : graph.nodes())
        if (node->origin) origins.push_back(toJson(node->id, *node->origin, known));
    if (!onnx && origins.empty()) return;
    out += ",\n\"import\":{\n";
    if (onnx) {
        appendOnnx(out, *onnx);
        out += ",\n";
    }
    appendList(out, "origins", origins);
    out += "\n}";
}

void checkSchema(const JsonAt& top)
{
    const std::string schema = top.at("schema").text();
    if (schema == kSchema) return;
    if (schema.starts_with(kSchemaFamily))
        throw Error(ErrorCode::Format, "The document has schema '" + schema + "', but this Fovea reads '" + std::string(kSchema) +
                                           "': open it with the version that wrote it, or a newer one.");
    top.at("schema").wrong("must be '" + std::string(kSchema) + "', but is '" + schema + "'");
}

std::shared_ptr<const OnnxOrigin> onnxFrom(const JsonAt& at)
{
    auto out = std::make_shared<OnnxOrigin>();
    out->skeleton = at.at("skeleton").bytes();
    const JsonAt nodes = at.at("nodes"), initializers = at.at("initializers");
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const auto layer = nodes[i].find("layer");
        out->nodes.push_back({nodes[i].at("bytes").bytes(), layer ? layer->integer(1, kMaxNodeId) : kNoNode});
    }
    for (std::size_t i = 0; i < initializers.size(); ++i) out->initializers.push_back(initializers[i].text());
    return out;
}

Origins originsFrom(const JsonAt& list, const OnnxOrigin* onnx)
{
    const std::vector<std::string> all = fileNodes(onnx);
    const KnownNodes known(all);
    Origins out;
    for (std::size_t i = 0; i < list.size(); ++i)
        out[list[i].at("layer").integer(1, kMaxNodeId)] = std::make_shared<const Origin>(originFrom(list[i], known));
    return out;
}

std::string weightsName(const JsonAt& at)
{
    const std::string name = at.text();
    if (name.empty() || name == "." || name == ".." || name.find_first_of(std::string_view("/\0", 2)) != std::string::npos)
        at.wrong("must be the name of a file beside the document, but is '" + name + "'");
    return name;
}

}  // namespace

std::string composeDocument(const Graph& graph, const OnnxOrigin* onnx, const std::string& weights)
{
    std::vector<Json> outputs, notes, nodes;
    for (const GraphOutput& output : graph.outputs()) outputs.push_back(toJson(output));
    for (const Issue& note : graph.notes()) notes.push_back(toJson(note));
    for (const auto& node : graph.nodes()) nodes.push_back(toJson(*node));
    std::string out = "{\n";
    appendMember(out, "schema", std::string(kSchema));
    out += ",\n";
    appendMember(out, "name", textJson(graph.name()));
    out += ",\n";
    appendMember(out, "weights", weights.empty() ? Json(nullptr) : textJson(weights));
    out += ",\n";
    appendMember(out, "next_id", graph.nextId());
    out += ",\n";
    if (graph.preprocessing()) {
        appendMember(out, "preprocessing", toJson(*graph.preprocessing()));
        out += ",\n";
    }
    appendList(out, "outputs", outputs);
    out += ",\n";
    appendList(out, "notes", notes);
    out += ",\n";
    appendList(out, "nodes", nodes);
    appendImport(out, graph, onnx);
    out += "\n}\n";
    return out;
}

DocumentParts parseDocument(std::string_view text)
{
    if (text.empty()) throw Error(ErrorCode::Format, "The document is empty.");
    const Json root = parseJson(text);
    const JsonAt top(root);
    if (!root.is_object() || !root.contains("schema")) throw Error(ErrorCode::Format, "The file is JSON, but not a Fovea document: it names no schema.");
    checkSchema(top);
    DocumentParts parts;
    if (const auto weights = top.find("weights")) parts.weights = weightsName(*weights);
    Origins origins;
    if (const auto import = top.find("import")) {
        if (const auto onnx = import->find("onnx")) parts.onnx = onnxFrom(*onnx);
        origins = originsFrom(import->at("origins"), parts.onnx.get());
    }
    parts.graph = graphFrom(top, origins);
    return parts;
}

std::string documentText(const Graph& graph) { return composeDocument(graph, nullptr, {}); }

Graph graphFromText(const std::string& text) { return parseDocument(text).graph; }

}  // namespace fovea
