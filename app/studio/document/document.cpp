#include "app/studio/document/document.h"

#include "app/studio/document/background.h"
#include "app/studio/document/graph_command.h"
#include "core/io/model/model.h"

#include <QFileInfo>
#include <QUndoStack>

namespace fovea::studio {

namespace {

// At about a microsecond a layer, anything smaller is analysed well within one frame.
constexpr std::size_t kInlineNodes = 20'000;

struct Opened {
    Model model;
    GraphPtr graph;
    ReportPtr report;
    QString error;
};

Opened openNow(const QString& name, const std::optional<PerAxis<std::int64_t>>& side)
{
    Opened out;
    try {
        out.model = openModel(name.toStdString());
        if (side) out.model.graph = withSide(out.model.graph, side->h, side->w);
        out.graph = std::make_shared<const Graph>(out.model.graph);
        out.report = std::make_shared<const Report>(analyze(*out.graph));
    } catch (const std::exception& error) {
        out.error = QString::fromUtf8(error.what());
    }
    return out;
}

struct Written {
    QStringList initialised;
    QString error;
};

Written writeNow(const Model& model, const QString& path)
{
    Written out;
    try {
        for (const std::string& tensor : saveModel(model, path.toStdString())) out.initialised << QString::fromStdString(tensor);
    } catch (const std::exception& error) {
        out.error = QString::fromUtf8(error.what());
    }
    return out;
}

QString titleOf(const QString& name)
{
    return name.startsWith(QLatin1String("zoo:")) ? name.mid(4) : QFileInfo(name).completeBaseName();
}

bool isOwnFormat(const QString& name) { return name.endsWith(QLatin1String(".fovea"), Qt::CaseInsensitive); }

}  // namespace

Document::Document(QObject* parent)
    : QObject(parent), m_undo(new QUndoStack(this)), m_graph(std::make_shared<const Graph>()),
      m_report(std::make_shared<const Report>()), m_weights(std::make_shared<const Weights>()),
      m_original{m_graph, m_weights}
{
    connect(m_undo, &QUndoStack::cleanChanged, this, &Document::stateChanged);
}

Document::~Document()
{
    // The stack clears itself while it goes; nobody needs to hear of it.
    m_undo->disconnect(this);
}

bool Document::isModified() const { return !m_undo->isClean(); }

void Document::edit(const QString& text, const QString& mergeKey, const std::function<void(Graph&)>& change)
{
    auto after = std::make_shared<Graph>(*m_graph);
    change(*after);
    if (diff(*m_graph, *after).empty()) return;
    prepare(after);
    m_undo->push(new GraphCommand(*this, text, mergeKey, network(), {after, m_weights}));
}

void Document::replace(const QString& text, const Network& next)
{
    prepare(next.graph);
    m_undo->push(new GraphCommand(*this, text, {}, network(), next));
}

void Document::prepare(const GraphPtr& graph)
{
    if (graph->nodes().size() > kInlineNodes) return;
    m_preparedReport = std::make_shared<const Report>(analyze(*graph));
    m_preparedGraph = graph;
}

void Document::setSide(std::int64_t height, std::int64_t width, const QString& mergeKey)
{
    const QString text = height == width ? tr("Side %1 px").arg(height) : tr("Side %1x%2 px").arg(height).arg(width);
    edit(text, mergeKey, [&](Graph& graph) { graph = withSide(graph, height, width); });
}

void Document::show(const Network& network)
{
    Change change{false, diff(*m_graph, *network.graph)};
    m_graph = network.graph;
    m_weights = network.weights;
    ++m_reportRequest;
    if (m_preparedGraph == m_graph)
        m_report = m_preparedReport;
    else if (m_graph->nodes().size() <= kInlineNodes)
        m_report = std::make_shared<const Report>(analyze(*m_graph));
    else
        analyseLater();
    m_preparedGraph.reset();
    m_preparedReport.reset();
    emit changed(change);
}

void Document::analyseLater()
{
    const int request = m_reportRequest;
    const auto work = [graph = m_graph] {
        Opened out;
        try {
            out.report = std::make_shared<const Report>(analyze(*graph));
        } catch (const std::exception& error) {
            out.error = QString::fromUtf8(error.what());
        }
        return out;
    };
    inBackground(this, work, [this, request](const Opened& result) {
        if (request != m_reportRequest) return;
        if (!result.report) {
            emit failed(tr("The network could not be analysed"), result.error);
            return;
        }
        m_report = result.report;
        emit changed(Change{});
    });
}

void Document::adopt(Model model, const QString& title, const QString& path)
{
    auto graph = std::make_shared<const Graph>(model.graph);
    auto report = std::make_shared<const Report>(analyze(*graph));
    m_source = path;
    take(std::move(graph), std::move(report), std::move(model), title, path);
}

void Document::take(GraphPtr graph, ReportPtr report, Model model, const QString& title, const QString& path)
{
    m_graph = std::move(graph);
    m_report = std::move(report);
    m_weights = std::make_shared<const Weights>(std::move(model.weights));
    m_original = network();
    m_onnx = std::move(model.onnx);
    m_title = title;
    m_path = path;
    ++m_reportRequest;
    m_undo->clear();
    emit changed(Change{true, {}});
    emit stateChanged();
}

void Document::open(const QString& name, std::optional<PerAxis<std::int64_t>> side)
{
    const int request = ++m_openRequest;
    m_opening = true;
    emit stateChanged();
    const auto work = [name, side] { return std::make_shared<Opened>(openNow(name, side)); };
    inBackground(this, work, [this, request, name](const std::shared_ptr<Opened>& result) {
        if (request != m_openRequest) return;
        m_opening = false;
        if (!result->error.isEmpty()) {
            emit stateChanged();
            emit failed(tr("%1 could not be opened").arg(QFileInfo(name).fileName()), result->error);
            return;
        }
        m_source = name;
        take(result->graph, result->report, std::move(result->model), titleOf(name), isOwnFormat(name) ? name : QString());
        emit opened(name);
    });
}

void Document::cancelOpen()
{
    if (!m_opening) return;
    ++m_openRequest;
    m_opening = false;
    emit stateChanged();
}

void Document::saveTo(const QString& path) { write(path, false); }

void Document::exportTo(const QString& path) { write(path, true); }

Model Document::model() const { return Model{*m_graph, *m_weights, m_onnx}; }

void Document::write(const QString& path, bool isExport)
{
    if (m_writing) return;
    m_writing = true;
    emit stateChanged();
    const auto work = [model = model(), path] { return writeNow(model, path); };
    inBackground(this, work, [this, path, isExport, graph = m_graph, weights = m_weights](const Written& result) {
        m_writing = false;
        if (!result.error.isEmpty()) {
            emit stateChanged();
            emit failed(tr("%1 could not be written").arg(QFileInfo(path).fileName()), result.error);
            return;
        }
        if (!isExport) {
            m_path = path;
            m_title = titleOf(path);
            // An edit made while the file was being written is not in it.
            if (graph == m_graph && weights == m_weights) m_undo->setClean();
        }
        emit stateChanged();
        emit saved(path, result.initialised, isExport);
    });
}

}  // namespace fovea::studio
