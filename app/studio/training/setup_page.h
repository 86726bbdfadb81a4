// What to train on, where, and how.
#pragma once

#include "app/studio/training/training_runs.h"

#include <QScrollArea>

class QComboBox;
class QFormLayout;
class QLabel;
class QLineEdit;
class QPushButton;

namespace fovea::studio {

class DataSource;
class Devices;
class RecipeForm;

class SetupPage : public QScrollArea {
    Q_OBJECT
public:
    SetupPage(TrainingRuns& runs, Devices& devices, QWidget* parent = nullptr);

    void start();
    QString source() const;
    DataUse dataUse() const;  // what the recipe would validate on
    QString device() const;
    QString problemOfData() const;       // why no network can be run on the images; empty: it can
    QString problemOfMeasuring() const;  // why what a step costs cannot be measured now; empty: it can

signals:
    void changed();

private:
    QWidget* buildForm();
    QWidget* buildFolder();
    QFormLayout* buildChoices();
    void choosePreset();
    void findRate();
    void showDevices();
    void refresh();
    QString problemOfNetwork() const;
    QString problemOfClassifier() const;
    QString problem() const;

    TrainingRuns& m_runs;
    Devices& m_devices;
    DataSource* m_data;
    QComboBox *m_device, *m_preset, *m_from;
    RecipeForm* m_recipe;
    QLineEdit* m_folder;
    QLabel *m_noGpu, *m_presetDoc, *m_problem;
    QPushButton *m_findRate, *m_start;
    mutable GraphPtr m_judged;  // the network that m_classifierProblem is of
    mutable QString m_classifierProblem;
};

}  // namespace fovea::studio
