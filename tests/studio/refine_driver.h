// The refinement panel as the tests of it drive it.
#pragma once

#include "tests/studio/window_driver.h"

#include <QListView>
#include <QTreeWidget>

namespace fovea::studio {

inline void openTab(QWidget& window, const QString& title) { openTab(window, "refineTabs", title); }

inline bool isPreviewing(const QWidget& window)
{
    return named<QLabel>(window, QStringLiteral("previewBanner"))->isVisible();
}

inline int shownCards(const QWidget& window)
{
    int cards = 0;
    for (const auto* button : window.findChildren<QAbstractButton*>())
        if (button->objectName().startsWith(QStringLiteral("planApply.")) && button->isVisibleTo(&window)) ++cards;
    return cards;
}

inline QAbstractItemModel* movesOf(const QWidget& window)
{
    return named<QListView>(window, QStringLiteral("moves"))->model();
}

inline int rowOfMove(const QWidget& window, const QString& title)
{
    const QAbstractItemModel* moves = movesOf(window);
    for (int row = 0; row < moves->rowCount(); ++row)
        if (moves->index(row, 0).data().toString().section(QLatin1Char('\n'), 0, 0) == title) return row;
    return -1;
}

inline void check(const QWidget& window, int row)
{
    auto* list = named<QListView>(window, QStringLiteral("moves"));
    const QModelIndex index = list->model()->index(row, 0);
    list->scrollTo(index);
    const QRect rect = list->visualRect(index);
    QTest::mouseClick(list->viewport(), Qt::LeftButton, {}, {rect.left() + 10, rect.center().y()});
}

// ResNet-18 from a file at 32 px, with its proposals on show.
inline void openAt32(MainWindow& window, const QString& model)
{
    showWindow(window);
    dropFile(window, model);
    QTRY_COMPARE_WITH_TIMEOUT(shownText(window, "status.parameters"), QStringLiteral("11.68 M parameters"), kWaitMs);
    typeNumber(named<QSpinBox>(window, QStringLiteral("sideHeight")), 32);
    QTRY_VERIFY_WITH_TIMEOUT(
        shownText(window, "refineState").startsWith(QStringLiteral("Proposals")) && shownCards(window) > 1, kWaitMs);
}

// The list of tensors behind the previewed card's "which?", opened by keyboard; null where there is no such link.
inline QTreeWidget* openTransfer(QWidget& window)
{
    auto* tensors = named<QLabel>(window, QStringLiteral("planTensors.chosen"));
    if (!tensors || !tensors->text().contains(QStringLiteral("which?"))) return nullptr;
    tensors->setFocus();
    QTest::keyClick(tensors, Qt::Key_Tab);
    QTest::keyClick(tensors, Qt::Key_Return);
    QTreeWidget* rows = nullptr;
    const auto isShown = [&] {
        for (auto* tree : window.findChildren<QTreeWidget*>(QStringLiteral("transferRows")))
            if (tree->isVisible()) rows = tree;
        return rows != nullptr;
    };
    return QTest::qWaitFor(isShown, kWaitMs) ? rows : nullptr;
}

// Closes without the question about changes.
inline void discard(MainWindow& window)
{
    QTimer timer;
    QObject::connect(&timer, &QTimer::timeout, &timer, [] {
        if (auto* box = qobject_cast<QMessageBox*>(QApplication::activeModalWidget()))
            QTest::mouseClick(box->button(QMessageBox::Discard), Qt::LeftButton);
    });
    timer.start(50);
    window.close();
}

}  // namespace fovea::studio
