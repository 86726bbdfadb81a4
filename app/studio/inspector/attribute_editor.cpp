#include "app/studio/inspector/attribute_editor.h"

#include "app/studio/look/words.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QRegularExpression>
#include <QSignalBlocker>
#include <QSpinBox>

#include <algorithm>
#include <limits>

namespace fovea::studio {

namespace {

int clampToInt(std::int64_t value)
{
    return static_cast<int>(std::clamp<std::int64_t>(value, std::numeric_limits<int>::min(), std::numeric_limits<int>::max()));
}

QString listText(const Ints& values)
{
    QStringList parts;
    for (const std::int64_t value : values) parts << QString::number(value);
    return parts.join(QStringLiteral(", "));
}

// False where a part is not a whole number.
bool readList(const QString& source, Ints& out)
{
    for (const QString& part : source.split(QRegularExpression(QStringLiteral("[,;x\\s]+")), Qt::SkipEmptyParts)) {
        bool ok = false;
        out.push_back(part.toLongLong(&ok));
        if (!ok) return false;
    }
    return true;
}

const char* const kSides[] = {QT_TRANSLATE_NOOP("AttributeEditor", "top"), QT_TRANSLATE_NOOP("AttributeEditor", "left"),
                              QT_TRANSLATE_NOOP("AttributeEditor", "bottom"), QT_TRANSLATE_NOOP("AttributeEditor", "right")};

}  // namespace

AttributeEditor::AttributeEditor(const AttrDef& def, QWidget* parent) : QWidget(parent), m_def(def)
{
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(3);
    switch (def.type) {
    case AttrType::Int: addSpins(1); break;
    case AttrType::Pair: addSpins(2); break;
    case AttrType::Quad: addSpins(4); break;
    case AttrType::Real: addReal(); break;
    case AttrType::Bool: addCheck(); break;
    case AttrType::Choice: addChoice(); break;
    case AttrType::IntList:
    case AttrType::Text: addText(); break;
    }
    QString tip = QString::fromUtf8(def.doc);
    if (def.unit && *def.unit) tip += QStringLiteral(" (%1)").arg(QString::fromUtf8(def.unit));
    if (m_spins.size() == 2) tip += tr("; height, then width");
    if (m_spins.size() == 4) tip += tr("; top, left, bottom, right");
    setToolTip(tip);
    setFocusProxy(layout->itemAt(0)->widget());
}

QString AttributeEditor::nameOf(int part) const
{
    const QString name = QStringLiteral("attr.%1").arg(QString::fromUtf8(m_def.name));
    return part < 0 ? name : QStringLiteral("%1.%2").arg(name).arg(part);
}

void AttributeEditor::addSpins(int count)
{
    for (int i = 0; i < count; ++i) {
        auto* spin = new QSpinBox;
        spin->setObjectName(nameOf(count == 1 ? -1 : i));
        spin->setAccessibleName(QString::fromUtf8(m_def.name));
        spin->setRange(clampToInt(m_def.min), clampToInt(m_def.max));
        // A number counts when it is complete: on Enter, Tab or a step, not at every digit.
        spin->setKeyboardTracking(false);
        spin->setMinimumWidth(count == 4 ? 26 : 36);
        spin->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
        if (count == 4) {
            spin->setButtonSymbols(QAbstractSpinBox::NoButtons);
            spin->setToolTip(tr(kSides[i]));
        }
        connect(spin, &QSpinBox::valueChanged, this, &AttributeEditor::emitSpins);
        layout()->addWidget(spin);
        m_spins.push_back(spin);
    }
}

void AttributeEditor::addReal()
{
    m_real = new QDoubleSpinBox;
    m_real->setObjectName(nameOf());
    m_real->setDecimals(6);
    m_real->setRange(-1e9, 1e9);
    m_real->setKeyboardTracking(false);
    m_real->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
    connect(m_real, &QDoubleSpinBox::valueChanged, this, [this](double value) {
        if (!m_loading) emit edited(AttrValue(value));
    });
    layout()->addWidget(m_real);
}

void AttributeEditor::addCheck()
{
    m_check = new QCheckBox;
    m_check->setObjectName(nameOf());
    connect(m_check, &QCheckBox::toggled, this, [this](bool on) {
        if (!m_loading) emit edited(AttrValue(on));
    });
    layout()->addWidget(m_check);
}

void AttributeEditor::addChoice()
{
    m_choice = new QComboBox;
    m_choice->setObjectName(nameOf());
    for (const char* choice : m_def.choices) m_choice->addItem(QString::fromUtf8(choice));
    connect(m_choice, &QComboBox::currentTextChanged, this, [this](const QString& value) {
        if (!m_loading) emit edited(AttrValue(value.toStdString()));
    });
    layout()->addWidget(m_choice);
}

void AttributeEditor::addText()
{
    m_text = new QLineEdit;
    m_text->setObjectName(nameOf());
    connect(m_text, &QLineEdit::editingFinished, this, &AttributeEditor::emitText);
    layout()->addWidget(m_text);
}

void AttributeEditor::setValue(const AttrValue& value)
{
    m_loading = true;
    const Ints* list = std::get_if<Ints>(&value);
    const std::int64_t* whole = std::get_if<std::int64_t>(&value);
    for (std::size_t i = 0; i < m_spins.size(); ++i) {
        if (list && i < list->size()) m_spins[i]->setValue(clampToInt((*list)[i]));
        if (whole) m_spins[i]->setValue(clampToInt(*whole));
    }
    if (m_real) {
        if (const double* real = std::get_if<double>(&value)) m_real->setValue(*real);
        if (whole) m_real->setValue(static_cast<double>(*whole));
    }
    if (m_check)
        if (const bool* on = std::get_if<bool>(&value)) m_check->setChecked(*on);
    if (m_choice)
        if (const std::string* choice = std::get_if<std::string>(&value)) m_choice->setCurrentText(text(*choice));
    if (m_text && !m_text->isModified()) m_text->setText(list ? listText(*list) : text(toText(value)));
    m_loading = false;
}

void AttributeEditor::emitSpins()
{
    if (m_loading) return;
    if (m_def.type == AttrType::Int) {
        emit edited(AttrValue(static_cast<std::int64_t>(m_spins.front()->value())));
        return;
    }
    Ints values;
    for (const QSpinBox* spin : m_spins) values.push_back(spin->value());
    emit edited(AttrValue(std::move(values)));
}

void AttributeEditor::emitText()
{
    if (m_loading || !m_text->isModified()) return;
    m_text->setModified(false);
    Ints values;
    if (m_def.type == AttrType::Text)
        emit edited(AttrValue(m_text->text().toStdString()));
    else if (readList(m_text->text(), values))
        emit edited(AttrValue(std::move(values)));
    else
        m_text->setToolTip(tr("Whole numbers are expected, separated by commas."));
}

}  // namespace fovea::studio
