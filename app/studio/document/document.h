// The one writer. Holds the network as a value; every change goes through edit(), which pushes one undo
// step, analyses the result and tells the views.
#pragma once

#include "core/analysis/report.h"
#include "core/io/onnx/onnx.h"

#include <QObject>
#include <QString>
#include <QStringList>

#include <functional>
#include <memory>
#include <optional>

class QUndoStack;

namespace fovea::studio {

using GraphPtr = std::shared_ptr<const Graph>;
using ReportPtr = std::shared_ptr<const Report>;
using WeightsPtr = std::shared_ptr<const Weights>;

// A network with its values, as undo steps hold it. Copies share both.
struct Network {
    GraphPtr graph;
    WeightsPtr weights;
};

struct Change {
    bool reset = false;  // another network: nothing of the old one remains
    GraphDiff diff;      // empty where only the report is new
};

class GraphCommand;

class Document : public QObject {
    Q_OBJECT
public:
    explicit Document(QObject* parent = nullptr);
    ~Document() override;

    // Both are never null; without a network they are empty.
    GraphPtr graph() const { return m_graph; }
    ReportPtr report() const { return m_report; }
    // Tensors by name, not yet fitted to the layers (materialise() does that).
    Network network() const { return {m_graph, m_weights}; }
    Model model() const;  // the network with what is needed to write it into the file that it came from
    const Network& original() const { return m_original; }  // as it was opened
    bool isEmpty() const { return m_graph->nodes().empty(); }
    QUndoStack* undoStack() const { return m_undo; }

    // Runs `change` on a copy of the graph. An exception (of `change` or of the analysis) leaves the
    // document untouched and passes through; an edit that changes nothing is dropped.
    void edit(const QString& text, const QString& mergeKey, const std::function<void(Graph&)>& change);
    // Puts another network with other weights in its place as one undo step. An exception leaves the document
    // untouched.
    void replace(const QString& text, const Network& network);
    // Error(Usage) where the network has no image input or a side is out of range.
    void setSide(std::int64_t height, std::int64_t width, const QString& mergeKey);

    // Takes a network as the new document, at once and with no way back. `path` is where save() writes;
    // empty for imports and templates.
    void adopt(Model model, const QString& title, const QString& path = {});

    // Opens on another thread; ends with opened() or failed(). `name` is a file or "zoo:NAME".
    void open(const QString& name, std::optional<PerAxis<std::int64_t>> side = {});
    void cancelOpen();
    // Write on another thread; end with saved() or failed(). saveTo() makes `path` the document's own.
    void saveTo(const QString& path);
    void exportTo(const QString& path);
    bool isBusy() const { return m_opening || m_writing; }
    bool isOpening() const { return m_opening; }

    QString title() const { return m_title; }
    QString path() const { return m_path; }
    QString source() const { return m_source; }  // the file or template it came from
    bool isModified() const;

signals:
    void changed(const fovea::studio::Change& change);
    void stateChanged();  // title, path, modified or busy
    void opened(const QString& name);
    // `initialised`: tensors that had no values and were filled as PyTorch fills them.
    void saved(const QString& path, const QStringList& initialised, bool isExport);
    void failed(const QString& what, const QString& why);

private:
    friend class GraphCommand;
    void prepare(const GraphPtr& graph);
    void show(const Network& network);
    void analyseLater();
    void take(GraphPtr graph, ReportPtr report, Model model, const QString& title, const QString& path);
    void write(const QString& path, bool isExport);

    QUndoStack* m_undo;
    GraphPtr m_graph, m_preparedGraph;
    ReportPtr m_report, m_preparedReport;
    WeightsPtr m_weights;
    Network m_original;
    std::shared_ptr<const OnnxOrigin> m_onnx;
    QString m_title, m_path, m_source;
    int m_openRequest = 0;
    int m_reportRequest = 0;
    bool m_opening = false;
    bool m_writing = false;
};

}  // namespace fovea::studio
