#include "app/studio/training/setup_page.h"

#include "app/studio/look/words.h"
#include "app/studio/training/data_source.h"
#include "app/studio/training/devices.h"
#include "app/studio/training/rate_dialog.h"
#include "app/studio/training/recipe_form.h"
#include "core/base/error.h"
#include "core/ops/classifier.h"

#include <QComboBox>
#include <QCoreApplication>
#include <QDir>
#include <QFileDialog>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSettings>
#include <QToolButton>
#include <QVBoxLayout>

namespace fovea::studio {

namespace {

QString translated(const char* words) { return QCoreApplication::translate("Recipe", words); }

void shrinkable(QComboBox* combo)
{
    combo->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    combo->setMinimumContentsLength(8);
}

}  // namespace

SetupPage::SetupPage(TrainingRuns& runs, Devices& devices, QWidget* parent)
    : QScrollArea(parent), m_runs(runs), m_devices(devices), m_data(new DataSource), m_device(new QComboBox),
      m_preset(new QComboBox), m_from(new QComboBox), m_recipe(new RecipeForm), m_folder(new QLineEdit),
      m_noGpu(new QLabel), m_presetDoc(new QLabel), m_problem(new QLabel),
      m_findRate(new QPushButton(tr("Fi&nd\u2026"))), m_start(new QPushButton(tr("&Start training")))
{
    setObjectName(QStringLiteral("trainingSetup"));
    setWidget(buildForm());
    setWidgetResizable(true);
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::NoFocus);
    const QString last = QSettings().value(QStringLiteral("training/preset"), QStringLiteral("quick")).toString();
    m_preset->setCurrentIndex(std::max(0, m_preset->findData(last)));
    choosePreset();
    showDevices();
    connect(m_preset, &QComboBox::currentIndexChanged, this, &SetupPage::choosePreset);
    connect(m_data, &DataSource::changed, this, &SetupPage::refresh);
    connect(m_recipe, &RecipeForm::changed, this, &SetupPage::refresh);
    connect(&devices, &Devices::changed, this, &SetupPage::showDevices);
    connect(&runs, &TrainingRuns::started, this, &SetupPage::refresh);
    connect(&runs, &TrainingRuns::ended, this, &SetupPage::refresh);
    connect(&runs.document(), &Document::changed, this, &SetupPage::refresh);
    connect(&runs.document(), &Document::stateChanged, this, &SetupPage::refresh);
    connect(m_start, &QPushButton::clicked, this, &SetupPage::start);
    connect(m_findRate, &QPushButton::clicked, this, &SetupPage::findRate);
    refresh();
}

QString SetupPage::source() const { return m_data->source(); }

QWidget* SetupPage::buildForm()
{
    auto* content = new QWidget;
    auto* layout = new QVBoxLayout(content);
    layout->setContentsMargins(10, 8, 10, 8);
    layout->setSpacing(6);
    layout->addLayout(buildChoices());
    m_findRate->setObjectName(QStringLiteral("findRate"));
    m_findRate->setAccessibleName(tr("Find a learning rate"));
    m_findRate->setToolTip(tr("Find a learning rate: try rising ones on these images and see where the loss falls"));
    m_recipe->putBeside("lr", m_findRate);
    layout->addWidget(m_recipe);
    layout->addWidget(buildFolder());
    m_problem->setObjectName(QStringLiteral("trainingProblem"));
    m_problem->setWordWrap(true);
    layout->addWidget(m_problem);
    m_start->setObjectName(QStringLiteral("trainingStart"));
    layout->addWidget(m_start);
    layout->addStretch();
    return content;
}

QFormLayout* SetupPage::buildChoices()
{
    m_device->setObjectName(QStringLiteral("trainingDevice"));
    m_device->setAccessibleName(tr("Device"));
    m_noGpu->setObjectName(QStringLiteral("trainingNoGpu"));
    for (QLabel* label : {m_noGpu, m_presetDoc}) {
        label->setWordWrap(true);
        label->setForegroundRole(QPalette::PlaceholderText);
    }
    m_preset->setObjectName(QStringLiteral("trainingPreset"));
    m_preset->setAccessibleName(tr("Recipe"));
    for (const RecipePreset& preset : recipePresets())
        m_preset->addItem(translated(preset.title), QString::fromUtf8(preset.name));
    m_from->setObjectName(QStringLiteral("trainingFrom"));
    m_from->setAccessibleName(tr("Weights to start from"));
    m_from->addItems({tr("the network's weights"), tr("new weights")});
    for (QComboBox* combo : {m_device, m_preset, m_from}) shrinkable(combo);
    auto* form = new QFormLayout;
    form->setContentsMargins(0, 0, 0, 0);
    form->setHorizontalSpacing(8);
    form->setVerticalSpacing(4);
    form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    const auto add = [&](const QString& title, QWidget* field) {
        auto* label = new QLabel(title);
        label->setBuddy(field);
        label->setMinimumWidth(RecipeForm::labelWidth(*this));
        form->addRow(label, field);
    };
    add(tr("&Images"), m_data);
    add(tr("&Device"), m_device);
    form->addRow(m_noGpu);
    add(tr("&Recipe"), m_preset);
    form->addRow(m_presetDoc);
    add(tr("Start fro&m"), m_from);
    return form;
}

QWidget* SetupPage::buildFolder()
{
    m_folder->setObjectName(QStringLiteral("trainingFolder"));
    m_folder->setAccessibleName(tr("Folder for runs"));
    auto* browse = new QToolButton;
    browse->setText(QStringLiteral("\u2026"));
    browse->setAccessibleName(tr("Choose the folder for runs"));
    browse->setFocusPolicy(Qt::StrongFocus);
    browse->setToolTip(tr("Choose the folder that runs are put in, and show the runs that are there"));
    auto* label = new QLabel(tr("Runs &go to"));
    label->setBuddy(m_folder);
    label->setMinimumWidth(RecipeForm::labelWidth(*this));
    auto* out = new QWidget;
    auto* row = new QHBoxLayout(out);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(4);
    row->addWidget(label);
    row->addSpacing(4);
    row->addWidget(m_folder, 1);
    row->addWidget(browse);
    connect(browse, &QToolButton::clicked, this, [this] {
        const QString folder = QFileDialog::getExistingDirectory(this, tr("Folder for runs"), m_runs.folder());
        if (folder.isEmpty()) return;
        m_folder->setText(folder);
        m_runs.look(folder);
    });
    return out;
}

void SetupPage::choosePreset()
{
    const RecipePreset& preset = recipePreset(m_preset->currentData().toString().toStdString());
    m_presetDoc->setText(translated(preset.doc));
    m_recipe->setRecipe(preset.recipe);
    m_from->setCurrentIndex(std::string_view(preset.name) == "scratch" ? 1 : 0);
}

void SetupPage::showDevices()
{
    m_devices.fill(*m_device);
    const auto& hello = m_devices.hello();
    m_noGpu->setText(hello && !hello->whyNoGpu.empty() ? tr("No GPU: %1").arg(text(hello->whyNoGpu)) : QString());
    m_noGpu->setVisible(!m_noGpu->text().isEmpty());
    refresh();
}

DataUse SetupPage::dataUse() const
{
    const Recipe& recipe = m_recipe->recipe();
    DataUse out;
    out.source = m_data->source().toStdString();
    out.validation = recipe.valSplit;
    out.splitSeed = recipe.seed;
    out.batch = recipe.batchSize;
    out.workers = recipe.workers;
    return out;
}

QString SetupPage::device() const { return m_device->currentData().toString(); }

QString SetupPage::problemOfNetwork() const
{
    if (!m_devices.hasEngine()) return m_devices.problem();
    if (m_runs.document().isEmpty()) return tr("Open a network to train it.");
    return {};
}

QString SetupPage::problemOfData() const
{
    const QString network = problemOfNetwork();
    if (!network.isEmpty()) return network;
    const QString classifier = problemOfClassifier();
    return classifier.isEmpty() ? m_data->problem() : classifier;
}

// Why labelled images cannot be given to the network, such as a second input, before anything starts.
QString SetupPage::problemOfClassifier() const
{
    const GraphPtr graph = m_runs.document().graph();
    if (m_judged == graph) return m_classifierProblem;
    m_judged = graph;
    m_classifierProblem.clear();
    try {
        classifierIn(*graph);
    } catch (const Error& error) {
        m_classifierProblem = text(error.what());
    }
    return m_classifierProblem;
}

QString SetupPage::problemOfMeasuring() const
{
    const QString network = problemOfNetwork();
    if (!network.isEmpty()) return network;
    return m_runs.live() ? tr("A run is going on and would disturb the measurement; it has to end first.") : QString();
}

QString SetupPage::problem() const
{
    const QString data = problemOfData();
    if (!data.isEmpty()) return data;
    if (m_runs.live()) return tr("A run is going on; it has to end first.");
    return m_recipe->problem();
}

void SetupPage::refresh()
{
    m_recipe->setGraph(m_runs.document().graph());
    const QString problem = this->problem();
    m_problem->setText(problem);
    m_problem->setVisible(!problem.isEmpty());
    m_start->setEnabled(problem.isEmpty());
    m_findRate->setEnabled(problem.isEmpty());
    m_folder->setPlaceholderText(QDir::toNativeSeparators(m_runs.folder()));
    m_folder->setToolTip(tr("The folder that runs are put in; empty: %1").arg(m_folder->placeholderText()));
    emit changed();
}

void SetupPage::findRate()
{
    m_data->remember();
    RateRequest request;
    request.data = m_data->source().toStdString();
    request.recipe = m_recipe->recipe();
    const EngineNetwork network = m_runs.networkToTrain(m_from->currentIndex() == 1, request.recipe);
    auto* dialog = new RateDialog(network, std::move(request), device(), this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &RateDialog::chosen, m_recipe, [this](const QString& rate) { m_recipe->setField("lr", rate); });
    dialog->open();  // the form is what it answers, so that stays as it is meanwhile
}

void SetupPage::start()
{
    if (!m_start->isEnabled()) return;
    m_data->remember();
    QSettings().setValue(QStringLiteral("training/preset"), m_preset->currentData());
    TrainingStart asked;
    asked.data = m_data->source();
    asked.device = device();
    asked.preset = m_preset->currentData().toString();
    asked.recipe = m_recipe->recipe();
    asked.newWeights = m_from->currentIndex() == 1;
    asked.folder = m_folder->text().trimmed();
    m_runs.start(asked);
}

}  // namespace fovea::studio
