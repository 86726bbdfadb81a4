// How an image becomes the network's input, as fields under an image input.
#pragma once

#include "core/graph/preprocessing.h"

#include <QWidget>

#include <cstdint>
#include <optional>
#include <vector>

class QComboBox;
class QFormLayout;
class QLabel;
class QLineEdit;
class QSpinBox;

namespace fovea::studio {

class PreprocessingSection : public QWidget {
    Q_OBJECT
public:
    // Fields are named "preprocessing.values", ".resize", ".order", ".mean" and ".deviation".
    explicit PreprocessingSection(QWidget* parent = nullptr);

    // `channels`: of the image input. Does not emit edited(). What is half typed stays while the same value is shown
    // again.
    void setValue(const std::optional<Preprocessing>& value, std::int64_t channels);

signals:
    // Only with what a document can hold; nullopt: none any more.
    void edited(const QString& field, const std::optional<fovea::Preprocessing>& value);

private:
    // One number for each channel, or one for all.
    struct Numbers {
        QLineEdit* line = nullptr;
        QLabel* wrong = nullptr;  // under it
        std::vector<double> Preprocessing::*member = nullptr;
        double least = 0;
    };

    Numbers addNumbers(const QString& title, const char* name, const QString& doc,
                       std::vector<double> Preprocessing::*member, double least);
    void addRow(const QString& title, QWidget* field, const char* name, const QString& doc);
    void listValues(int preset);
    void choose();
    void show(const Numbers& numbers);
    void check(const Numbers& numbers);
    void commit(const Numbers& numbers, const QString& title);
    std::optional<std::vector<double>> parsed(const Numbers& numbers, QString& problem) const;

    std::optional<Preprocessing> m_value;
    std::int64_t m_channels = 0;
    QWidget* m_fields;
    QFormLayout* m_form;
    QComboBox *m_values, *m_order;
    QLabel* m_none;
    QSpinBox* m_resize;
    Numbers m_mean, m_deviation;
    bool m_loading = false;
};

}  // namespace fovea::studio
