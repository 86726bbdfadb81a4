// Nodes of a file that belong to no layer: constants, and what computes sizes for the layers that keep their nodes.
#pragma once

#include "core/io/onnx/model_writer.h"
#include "core/io/onnx/onnx.h"

#include <optional>
#include <set>
#include <string>
#include <unordered_map>

namespace fovea {

onnx::NodeProto parseNode(const std::string& bytes);  // Error(Format) where they are none

class HelperNodes {
public:
    using Renamed = std::unordered_map<std::string, std::string>;  // what a layer read in the file -> reads now

    // `model` has come from a file, or has no such nodes.
    HelperNodes(const Model& model, ModelWriter& writer);

    // A value that a layer made in the file; `same`: in the shape that it still has.
    void addMap(const std::string& name, bool same) { m_maps[name] = same; }

    void setWritten(const std::string& name);
    bool isWritten(const std::string& name) const { return m_written.contains(name); }

    // The name under which a kept layer can read what no layer makes: a tensor, or what nodes of the file compute,
    // which are then written in front of it. nullopt where they read what is not there.
    std::optional<std::string> value(const std::string& name);

    // The same for a tensor of a layer that is written anew: what is computed from one stored tensor stays so, for it may
    // be shared. nullopt where no node of the file makes it, or where one would make something else by now.
    std::optional<std::string> tensor(const std::string& name);

    // Whether what is computed for a kept layer follows a map that the layer no longer reads, or one that has another
    // shape than the layer's constants are right for. `seen` spares what was looked at before.
    bool readsAnotherMap(const std::string& name, bool sizesBaked, const Renamed& renamed,
                         std::set<std::string>& seen) const;

private:
    bool skeletonHas(const std::string& name) const;

    const Model& m_model;
    ModelWriter& m_writer;
    std::set<std::string> m_written;
    std::unordered_map<std::string, bool> m_maps;
    std::unordered_map<std::string, std::size_t> m_nodes;  // value name -> node that makes it
};

}  // namespace fovea
