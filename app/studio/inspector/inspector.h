// The selected layer: its verdict in words, every attribute as a form, and what follows from them as facts.
#pragma once

#include "app/studio/document/stage.h"

#include <QWidget>

#include <QElapsedTimer>

#include <vector>

class QFormLayout;
class QLabel;
class QLineEdit;
class QScrollArea;

namespace fovea::studio {

class AttributeEditor;
class PreprocessingSection;

class Inspector : public QWidget {
    Q_OBJECT
public:
    explicit Inspector(Stage& stage, QWidget* parent = nullptr);

signals:
    void failed(const QString& what, const QString& why);

private:
    void refresh();
    void showFacts(const Node& node, const LayerReport* layer);
    void rebuildForm(const Node& node);
    void addReachField(const Node& node);
    void loadValues(const Node& node, const LayerReport* layer);
    void loadPreprocessing(const Node& node);
    void commit(const AttrDef& def, const AttrValue& value);
    void commitName();
    void commitReach(const QString& reach);
    void commitPreprocessing(const QString& field, const std::optional<Preprocessing>& value);
    QString mergeKeyFor(const QString& attribute);

    Stage& m_stage;
    QScrollArea* m_scroll;
    QLabel* m_empty;
    QLineEdit* m_name;
    QLabel *m_kind, *m_sign, *m_reason;
    QWidget* m_formWidget = nullptr;
    QLabel* m_facts;
    QWidget* m_formHost;
    PreprocessingSection* m_preprocessing;
    std::vector<AttributeEditor*> m_editors;
    QLineEdit* m_reach = nullptr;
    NodeId m_node = kNoNode;
    QString m_shownKind;
    QString m_gesture;
    int m_gestureCount = 0;
    QElapsedTimer m_sinceEdit;
};

}  // namespace fovea::studio
