// Fields for the options of a recipe, made from their table: a few always seen, the others foldable by group.
#pragma once

#include "core/graph/graph.h"
#include "core/recipe/recipe.h"

#include <QWidget>

#include <map>
#include <memory>

class QFormLayout;
class QHBoxLayout;
class QLabel;
class QToolButton;

namespace fovea::studio {

class RecipeForm : public QWidget {
    Q_OBJECT
public:
    explicit RecipeForm(QWidget* parent = nullptr);

    void setRecipe(const Recipe& recipe);
    // Whose layers can be frozen.
    void setGraph(std::shared_ptr<const Graph> graph);
    const Recipe& recipe() const { return m_recipe; }  // the last values that were valid
    static int labelWidth(const QWidget& widget);      // of the fields always seen, so that others can line up
    QString problem() const;                           // what to change first; empty: nothing
    // The field of the option, as if somebody typed into it.
    void setField(const std::string& option, const QString& value);
    void putBeside(const std::string& option, QWidget* widget);  // right of its field

signals:
    void changed();

private:
    struct Field {
        const RecipeOption* option;
        QWidget* editor;
        QHBoxLayout* row;
        QLabel* wrong;  // under it
        QString error;
    };

    void addField(QFormLayout* form, const RecipeOption& option, int labelWidth);
    QWidget* makeEditor(const RecipeOption& option);
    QWidget* buildAll();
    void take(const RecipeOption& option, const QString& value);
    void check(Field& field, const QString& value);
    void show(const Field& field);

    Recipe m_recipe;
    std::shared_ptr<const Graph> m_graph;
    std::map<std::string, Field> m_fields;
    QToolButton* m_fold;
};

}  // namespace fovea::studio
