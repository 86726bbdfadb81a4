// Which images a job reads: the built-in generator, a folder, or one used before.
#pragma once

#include <QWidget>

class QComboBox;

namespace fovea::studio {

class DataSource : public QWidget {
    Q_OBJECT
public:
    explicit DataSource(QWidget* parent = nullptr);

    QString source() const;
    void setSource(const QString& source);
    QString problem() const;  // what is wrong before anything is read; empty: nothing
    void remember();          // the source is a recent one from now on

signals:
    void changed();

private:
    void browse();
    void fill();

    QComboBox* m_line;
};

}  // namespace fovea::studio
