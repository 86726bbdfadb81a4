// The editor of one attribute, made from its definition in the layer kind's table.
#pragma once

#include "core/ops/op_def.h"

#include <QWidget>

#include <vector>

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QLineEdit;
class QSpinBox;

namespace fovea::studio {

class AttributeEditor : public QWidget {
    Q_OBJECT
public:
    // Inner widgets are named "attr.NAME", those of lists of fixed length "attr.NAME.0", "attr.NAME.1", ...
    explicit AttributeEditor(const AttrDef& def, QWidget* parent = nullptr);
    const AttrDef& def() const { return m_def; }
    void setValue(const AttrValue& value);  // does not emit edited()

signals:
    void edited(const fovea::AttrValue& value);

private:
    void addSpins(int count);
    void addReal();
    void addCheck();
    void addChoice();
    void addText();
    void emitSpins();
    void emitText();
    QString nameOf(int part = -1) const;

    AttrDef m_def;
    std::vector<QSpinBox*> m_spins;
    QDoubleSpinBox* m_real = nullptr;
    QCheckBox* m_check = nullptr;
    QComboBox* m_choice = nullptr;
    QLineEdit* m_text = nullptr;
    bool m_loading = false;
};

}  // namespace fovea::studio
