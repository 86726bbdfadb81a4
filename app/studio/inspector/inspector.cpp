#include "app/studio/inspector/inspector.h"

#include "app/studio/inspector/attribute_editor.h"
#include "app/studio/inspector/preprocessing_section.h"
#include "app/studio/look/verdict_look.h"
#include "app/studio/look/words.h"
#include "core/analysis/memory.h"
#include "core/graph/first_image.h"
#include "core/io/reports/reports.h"
#include "core/ops/shared_layers.h"

#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QScrollArea>
#include <QVBoxLayout>

namespace fovea::studio {

namespace {

// The padding of a layer that pads itself, at the present size.
AttrValue paddingAt(const Node& node, const Value& in)
{
    const Value made;
    const NodeView view{node, {&in, 1}, {&made, 1}};
    const Ints* padding = torchCall(opFor(node.kind), view).args.getInts("padding");
    return padding ? *padding : Ints{0, 0, 0, 0};
}

// Steps of the same field that follow one another this quickly are one gesture, and one undo step.
constexpr qint64 kGestureMs = 1'200;

QString row(const QString& name, const QString& value)
{
    return QStringLiteral("<tr><td style='padding-right:10px'>%1</td><td>%2</td></tr>").arg(name, value.toHtmlEscaped());
}

QString shapesText(const auto& values)
{
    QStringList out;
    for (std::size_t i = 0; i < values.size(); ++i) out << shapeText(values[i]);
    return out.isEmpty() ? QStringLiteral("-") : out.join(QStringLiteral(", "));
}

// At batch 1; the chart of input sides has other batches.
QString memoryRows(const Report& report, const LayerReport& layer)
{
    const MemoryReport memory = memoryOf(report);
    const LayerMemory& own = memory.layers[static_cast<std::size_t>(&layer - report.layers.data())];
    return row(Inspector::tr("training"), Inspector::tr("%1 kept per image").arg(text(shortBytes(own.kept)))) +
           row(Inspector::tr("inference"), Inspector::tr("%1 alive per image").arg(text(shortBytes(own.live))));
}

}  // namespace

Inspector::Inspector(Stage& stage, QWidget* parent)
    : QWidget(parent), m_stage(stage), m_scroll(new QScrollArea), m_empty(new QLabel(tr("Select a layer on the canvas or in the chart to see and change it."))),
      m_name(new QLineEdit), m_kind(new QLabel), m_sign(new QLabel), m_reason(new QLabel), m_facts(new QLabel), m_formHost(new QWidget),
      m_preprocessing(new PreprocessingSection)
{
    setObjectName(QStringLiteral("inspector"));
    setMinimumWidth(272);
    m_empty->setWordWrap(true);
    m_empty->setAlignment(Qt::AlignCenter);
    m_empty->setMargin(24);
    m_empty->setForegroundRole(QPalette::PlaceholderText);
    m_name->setObjectName(QStringLiteral("layerName"));
    m_name->setAccessibleName(tr("Name of the layer"));
    m_kind->setObjectName(QStringLiteral("layerKind"));
    m_kind->setWordWrap(true);
    m_reason->setObjectName(QStringLiteral("layerReason"));
    m_reason->setWordWrap(true);
    m_reason->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_facts->setObjectName(QStringLiteral("layerFacts"));
    m_facts->setTextFormat(Qt::RichText);
    m_facts->setWordWrap(true);
    m_facts->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_sign->setAlignment(Qt::AlignTop);
    m_sign->setFixedWidth(20);
    auto* formLayout = new QVBoxLayout(m_formHost);
    formLayout->setContentsMargins(0, 0, 0, 0);

    auto* verdict = new QHBoxLayout;
    verdict->addWidget(m_sign, 0, Qt::AlignTop);
    verdict->addWidget(m_reason, 1);
    auto* content = new QWidget;
    auto* layout = new QVBoxLayout(content);
    layout->setContentsMargins(10, 8, 10, 10);
    layout->setSpacing(8);
    layout->addWidget(m_name);
    layout->addWidget(m_kind);
    layout->addLayout(verdict);
    layout->addWidget(m_formHost);
    layout->addWidget(m_preprocessing);
    layout->addWidget(m_facts);
    layout->addStretch();
    m_scroll->setWidget(content);
    m_scroll->setWidgetResizable(true);
    m_scroll->setFrameShape(QFrame::NoFrame);
    m_scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    outer->addWidget(m_empty, 1);
    outer->addWidget(m_scroll, 1);

    connect(m_name, &QLineEdit::editingFinished, this, &Inspector::commitName);
    connect(m_preprocessing, &PreprocessingSection::edited, this, &Inspector::commitPreprocessing);
    connect(&stage, &Stage::shown, this, [this](const Change& change) {
        if (change.reset) m_node = kNoNode;
        refresh();
    });
    connect(&stage, &Stage::selectionChanged, this, &Inspector::refresh);
    refresh();
}

void Inspector::refresh()
{
    const Node* node = m_stage.graph()->find(m_stage.current());
    m_scroll->setVisible(node != nullptr);
    m_empty->setVisible(node == nullptr);
    if (!node) {
        m_node = kNoNode;
        return;
    }
    if (m_node != node->id || m_shownKind != text(node->kind)) {
        m_node = node->id;
        m_shownKind = text(node->kind);
        rebuildForm(*node);
    }
    const LayerReport* layer = m_stage.report()->find(node->id);
    if (!m_name->isModified() || !m_name->hasFocus()) m_name->setText(text(node->name));
    m_kind->setText(QStringLiteral("<b>%1</b> \u2013 %2").arg(text(node->kind).toHtmlEscaped(), QString::fromUtf8(opFor(node->kind).doc).toHtmlEscaped()));
    loadValues(*node, layer);
    loadPreprocessing(*node);
    showFacts(*node, layer);
    // While a proposal is shown the form would edit another network than the one in view.
    m_formHost->setEnabled(!m_stage.preview());
    m_preprocessing->setEnabled(!m_stage.preview());
    m_name->setEnabled(!m_stage.preview());
}

void Inspector::rebuildForm(const Node& node)
{
    delete m_formWidget;
    m_editors.clear();
    m_reach = nullptr;
    m_formWidget = new QWidget;
    m_formHost->layout()->addWidget(m_formWidget);
    auto* form = new QFormLayout(m_formWidget);
    form->setContentsMargins(0, 0, 0, 0);
    form->setHorizontalSpacing(8);
    form->setVerticalSpacing(5);
    form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    const OpDef& op = opFor(node.kind);
    for (const AttrDef& def : op.attrs) {
        const bool padsItself = def.name == std::string_view("auto_pad") && node.attrs.has("auto_pad");
        if (!def.shown && !padsItself) continue;
        auto* editor = new AttributeEditor(def);
        auto* label = new QLabel(QString::fromUtf8(def.name).replace(QLatin1Char('_'), QLatin1Char(' ')));
        label->setToolTip(editor->toolTip());
        label->setBuddy(editor);
        form->addRow(label, editor);
        connect(editor, &AttributeEditor::edited, this, [this, editor](const AttrValue& value) { commit(editor->def(), value); });
        m_editors.push_back(editor);
    }
    if (op.opClass == OpClass::Opaque) addReachField(node);
}

void Inspector::addReachField(const Node&)
{
    m_reach = new QLineEdit;
    m_reach->setObjectName(QStringLiteral("opaqueReach"));
    m_reach->setPlaceholderText(QStringLiteral("k3s2p1"));
    m_reach->setToolTip(tr("What this layer reads: kernel, stride, padding and dilation as k3s2p1d1, \u201cup2\u201d for a map twice as large, \u201csame\u201d, or \u201cglobal\u201d."));
    static_cast<QFormLayout*>(m_formWidget->layout())->addRow(tr("reach"), m_reach);
    connect(m_reach, &QLineEdit::editingFinished, this, [this] {
        if (m_reach->isModified()) commitReach(m_reach->text().trimmed());
        m_reach->setModified(false);
    });
}

void Inspector::loadValues(const Node& node, const LayerReport* layer)
{
    for (AttributeEditor* editor : m_editors) {
        const AttrValue* value = node.attrs.find(editor->def().name);
        const bool sized = layer && !layer->in.empty() && node.attrs.has("auto_pad") && editor->def().name == std::string_view("padding");
        if (sized) editor->setValue(paddingAt(node, layer->in[0]));  // that of the present size
        else editor->setValue(value ? *value : editor->def().fallback);
    }
    if (m_reach && !m_reach->isModified()) m_reach->setText(text(node.attrs.getText("reach")));
}

void Inspector::loadPreprocessing(const Node& node)
{
    const bool image = isImage(node);
    m_preprocessing->setVisible(image);
    if (image) m_preprocessing->setValue(m_stage.graph()->preprocessing(), imageShape(node)[1]);
}

void Inspector::showFacts(const Node& node, const LayerReport* layer)
{
    m_sign->setPixmap(layer ? verdictPixmap(layer->verdict, 16) : QPixmap());
    m_sign->setVisible(layer && layer->verdict != Verdict::NotApplicable);
    m_reason->setText(layer ? verdictReason(*layer, m_stage.report()->side) : tr("The image enters here."));
    QString rows;
    if (!node.group.empty()) rows += row(tr("group"), text(node.group));
    if (layer) {
        rows += row(tr("input"), shapesText(layer->in));
        rows += row(tr("output"), shapesText(layer->out));
        if (layer->finite) {
            const auto &h = layer->field.h, &w = layer->field.w;
            rows += row(tr("smallest field"), tr("%1 px").arg(axisText(h.rfMin, w.rfMin)));
            rows += row(tr("largest field"), tr("%1 px").arg(axisText(h.rfMax, w.rfMax)));
            const QString jumpH = text(h.jump.text()), jumpW = text(w.jump.text());
            rows += row(tr("jump"), tr("%1 px").arg(jumpH == jumpW ? jumpH : jumpH + QLatin1Char('x') + jumpW));
            rows += row(tr("start"), tr("%1 px").arg(axisText(h.start, w.start)));
        }
        if (layer->unbounded) rows += row(tr("unbounded"), tr("a path through a global layer meets here"));
        if (layer->coversMap) rows += row(tr("covers map"), tr("the kernel is as large as its input map"));
        if (layer->approximate) rows += row(tr("approximate"), tr("fields are not the same for all units"));
        rows += row(tr("parameters"), exactText(layer->parameters));
        if (!layer->macs || *layer->macs > 0) rows += row(tr("MACs"), exactText(layer->macs));
        rows += memoryRows(*m_stage.report(), *layer);
    }
    m_facts->setText(QStringLiteral("<table cellspacing='0' cellpadding='2'>%1</table>").arg(rows));
}

QString Inspector::mergeKeyFor(const QString& attribute)
{
    const QString gesture = QStringLiteral("attr:%1:%2").arg(m_node).arg(attribute);
    const bool goesOn = gesture == m_gesture && m_sinceEdit.isValid() && m_sinceEdit.elapsed() < kGestureMs;
    m_sinceEdit.start();
    if (!goesOn) ++m_gestureCount;
    m_gesture = gesture;
    return QStringLiteral("%1#%2").arg(gesture).arg(m_gestureCount);
}

void Inspector::commit(const AttrDef& def, const AttrValue& value)
{
    const QString name = QString::fromUtf8(def.name);
    try {
        const NodeId id = m_node;
        const Node* node = m_stage.document().graph()->find(id);
        if (!node) return;
        m_stage.document().edit(tr("%1 of %2").arg(name, text(node->name)), mergeKeyFor(name),
                                [&](Graph& graph) { setInCalls(graph, id, def.name, value); });
    } catch (const std::exception& error) {
        emit failed(tr("The attribute %1 could not be set").arg(name), QString::fromUtf8(error.what()));
        refresh();
    }
}

void Inspector::commitPreprocessing(const QString& field, const std::optional<Preprocessing>& value)
{
    try {
        m_stage.document().edit(tr("Preprocessing, %1").arg(field), mergeKeyFor(QStringLiteral("preprocessing.") + field),
                                [&](Graph& graph) { graph.setPreprocessing(value); });
    } catch (const std::exception& error) {
        emit failed(tr("The preprocessing could not be set"), QString::fromUtf8(error.what()));
    }
    refresh();
}

void Inspector::commitName()
{
    const Node* node = m_stage.document().graph()->find(m_node);
    const std::string name = m_name->text().trimmed().toStdString();
    m_name->setModified(false);
    // Control characters are shown as escapes, so the same text is the same name.
    if (!node || name == node->name || m_name->text() == text(node->name)) return;
    try {
        const NodeId id = m_node;
        m_stage.document().edit(tr("Rename %1").arg(text(node->name)), {}, [&](Graph& graph) { graph.rename(id, name); });
    } catch (const std::exception& error) {
        emit failed(tr("The layer could not be renamed"), QString::fromUtf8(error.what()));
        refresh();
    }
}

void Inspector::commitReach(const QString& reach)
{
    const Node* node = m_stage.document().graph()->find(m_node);
    if (!node) return;
    try {
        const std::string name = node->name;
        m_stage.document().edit(tr("Reach of %1").arg(text(name)), {}, [&](Graph& graph) {
            if (reach.isEmpty()) graph.update(node->id, [](Node& n) { n.attrs.erase("reach"); });  // unknown again
            else graph = withReach(graph, name, reach.toStdString());
        });
    } catch (const std::exception& error) {
        emit failed(tr("The reach could not be set"), QString::fromUtf8(error.what()));
    }
}

}  // namespace fovea::studio
