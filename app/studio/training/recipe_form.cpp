#include "app/studio/training/recipe_form.h"

#include "app/studio/look/words.h"
#include "core/recipe/frozen_layers.h"

#include <QCheckBox>
#include <QComboBox>
#include <QCompleter>
#include <QCoreApplication>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QSignalBlocker>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace fovea::studio {

namespace {

constexpr int kLabelWidth = 118;  // of the foldable groups, which so line up
constexpr const char* kFreeze = "freeze";
constexpr const char* kMain[] = {"epochs", "lr", "batch-size"};

bool isMain(const RecipeOption& option)
{
    return std::ranges::any_of(kMain, [&](const char* name) { return std::string_view(name) == option.name; });
}

QString translated(const char* words) { return QCoreApplication::translate("Recipe", words); }

// "weight-decay" reads "Weight decay".
QString titleOf(const RecipeOption& option)
{
    static const std::map<std::string_view, QString> spelled = {
        {"lr", RecipeForm::tr("Learning rate")},
        {"opt", RecipeForm::tr("Optimiser")},
        {"opt-eps", RecipeForm::tr("Epsilon")},
        {"clip-grad", RecipeForm::tr("Gradient limit")},
        {"sched", RecipeForm::tr("Schedule")},
        {"warmup-lr", RecipeForm::tr("Warm-up rate")},
        {"min-lr", RecipeForm::tr("Lowest rate")},
        {"warmup-epochs", RecipeForm::tr("Warm-up epochs")},
        {"max-steps", RecipeForm::tr("Most steps")},
        {"val-split", RecipeForm::tr("Validation share")},
        {"hflip", RecipeForm::tr("Horizontal flip")},
        {"smoothing", RecipeForm::tr("Label smoothing")},
        {"model-ema", RecipeForm::tr("Mean of weights")},
        {"model-ema-decay", RecipeForm::tr("Its decay")},
        {"mixup-prob", RecipeForm::tr("Mixing probability")},
        {"mixup-switch-prob", RecipeForm::tr("Cutmix probability")},
        {"amp", RecipeForm::tr("Mixed precision")},
        {"checkpoint-interval", RecipeForm::tr("Checkpoint every")},
        {"log-interval", RecipeForm::tr("Measure every")}};
    if (const auto found = spelled.find(option.name); found != spelled.end()) return found->second;
    QString title = QString::fromUtf8(option.name).replace(QLatin1Char('-'), QLatin1Char(' '));
    title[0] = title[0].toUpper();
    return translated(title.toUtf8().constData());
}

QFormLayout* newForm()
{
    auto* form = new QFormLayout;
    form->setContentsMargins(0, 0, 0, 0);
    form->setHorizontalSpacing(8);
    form->setVerticalSpacing(4);
    form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    return form;
}

}  // namespace

RecipeForm::RecipeForm(QWidget* parent) : QWidget(parent), m_fold(new QToolButton)
{
    auto* main = newForm();
    for (const char* name : kMain) addField(main, *findRecipeOption(name), labelWidth(*this));
    m_fold->setObjectName(QStringLiteral("recipeFold"));
    m_fold->setText(tr("All settings\u2026"));
    m_fold->setCheckable(true);
    m_fold->setAutoRaise(true);
    m_fold->setArrowType(Qt::RightArrow);
    m_fold->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_fold->setFocusPolicy(Qt::StrongFocus);
    QWidget* all = buildAll();
    all->hide();
    connect(m_fold, &QToolButton::toggled, all, [this, all](bool open) {
        all->setVisible(open);
        m_fold->setArrowType(open ? Qt::DownArrow : Qt::RightArrow);
    });
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(4);
    layout->addLayout(main);
    layout->addWidget(m_fold);
    layout->addWidget(all);
    setRecipe({});
}

QWidget* RecipeForm::buildAll()
{
    auto* out = new QWidget;
    auto* layout = new QVBoxLayout(out);
    layout->setContentsMargins(4, 0, 0, 0);
    layout->setSpacing(4);
    QFormLayout* form = nullptr;
    std::string_view group;
    for (const RecipeOption& option : recipeOptions()) {
        if (isMain(option)) continue;
        if (!form || group != option.group) {
            group = option.group;
            auto* heading = new QLabel(QStringLiteral("<b>%1</b>").arg(translated(option.group)));
            heading->setContentsMargins(0, 6, 0, 0);
            layout->addWidget(heading);
            form = newForm();
            layout->addLayout(form);
        }
        addField(form, option, kLabelWidth);
    }
    return out;
}

int RecipeForm::labelWidth(const QWidget& widget)
{
    return widget.fontMetrics().horizontalAdvance(tr("Learning rate")) + 2;
}

void RecipeForm::addField(QFormLayout* form, const RecipeOption& option, int labelWidth)
{
    QWidget* editor = makeEditor(option);
    const QString doc = translated(option.doc), title = titleOf(option);
    editor->setObjectName(QStringLiteral("recipe.%1").arg(QLatin1String(option.name)));
    editor->setToolTip(doc);
    editor->setAccessibleName(title);
    editor->setAccessibleDescription(doc);
    auto* wrong = new QLabel;
    wrong->setObjectName(editor->objectName() + QStringLiteral(".wrong"));
    wrong->setWordWrap(true);
    wrong->hide();
    auto* column = new QVBoxLayout;
    column->setSpacing(1);
    auto* row = new QHBoxLayout;
    row->setSpacing(4);
    row->addWidget(editor, 1);
    column->addLayout(row);
    column->addWidget(wrong);
    auto* label = new QLabel(title);
    label->setToolTip(doc);
    label->setBuddy(editor);
    label->setMinimumWidth(labelWidth);
    form->addRow(label, column);
    m_fields[option.name] = {&option, editor, row, wrong, {}};
}

QWidget* RecipeForm::makeEditor(const RecipeOption& option)
{
    if (std::holds_alternative<bool Recipe::*>(option.member)) {
        auto* box = new QCheckBox;
        connect(box, &QCheckBox::toggled, this,
                [this, &option](bool on) { take(option, on ? QStringLiteral("true") : QStringLiteral("false")); });
        return box;
    }
    if (!option.choices.empty()) {
        auto* combo = new QComboBox;
        for (const char* choice : option.choices) combo->addItem(QLatin1String(choice));
        connect(combo, &QComboBox::currentTextChanged, this,
                [this, &option](const QString& value) { take(option, value); });
        return combo;
    }
    auto* line = new QLineEdit;
    connect(line, &QLineEdit::textChanged, this,
            [this, &option](const QString& value) { take(option, value.trimmed()); });
    return line;
}

void RecipeForm::take(const RecipeOption& option, const QString& value)
{
    check(m_fields.at(option.name), value);
    emit changed();
}

void RecipeForm::check(Field& field, const QString& value)
{
    field.error.clear();
    try {
        setOption(m_recipe, *field.option, value.toStdString());
        if (m_graph && std::string_view(field.option->name) == kFreeze) frozenLayers(*m_graph, m_recipe.freeze);
    } catch (const Error& error) {
        field.error = QString::fromUtf8(error.what());
    }
    field.wrong->setText(field.error);
    field.wrong->setVisible(!field.error.isEmpty());
}

void RecipeForm::setGraph(std::shared_ptr<const Graph> graph)
{
    if (graph == m_graph) return;
    m_graph = std::move(graph);
    Field& field = m_fields.at(kFreeze);
    auto* line = qobject_cast<QLineEdit*>(field.editor);
    QStringList names;
    for (const std::string& name : m_graph ? layerAndGroupNames(*m_graph) : std::vector<std::string>()) names << text(name);
    auto* completer = new QCompleter(names, line);
    completer->setFilterMode(Qt::MatchContains);
    completer->setCaseSensitivity(Qt::CaseInsensitive);
    delete line->completer();
    line->setCompleter(completer);
    check(field, line->text());
}

void RecipeForm::show(const Field& field)
{
    const QSignalBlocker quiet(field.editor);
    const QString value = text(optionText(m_recipe, *field.option));
    if (auto* box = qobject_cast<QCheckBox*>(field.editor)) box->setChecked(value == QLatin1String("true"));
    else if (auto* combo = qobject_cast<QComboBox*>(field.editor)) combo->setCurrentText(value);
    else if (auto* line = qobject_cast<QLineEdit*>(field.editor)) line->setText(value), line->setCursorPosition(0);
}

void RecipeForm::setField(const std::string& option, const QString& value)
{
    Field& field = m_fields.at(option);
    take(*field.option, value);
    show(field);
}

void RecipeForm::putBeside(const std::string& option, QWidget* widget) { m_fields.at(option).row->addWidget(widget); }

void RecipeForm::setRecipe(const Recipe& recipe)
{
    m_recipe = recipe;
    for (auto& [name, field] : m_fields) {
        show(field);
        field.error.clear();
        field.wrong->hide();
    }
    emit changed();
}

QString RecipeForm::problem() const
{
    for (const auto& [name, field] : m_fields)
        if (!field.error.isEmpty()) return field.error;
    try {
        checkRecipe(m_recipe);
    } catch (const Error& error) {
        return QString::fromUtf8(error.what());
    }
    return {};
}

}  // namespace fovea::studio
