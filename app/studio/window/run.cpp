#include "app/studio/window/run.h"

#include "app/studio/look/theme.h"
#include "app/studio/render/render.h"
#include "app/studio/window/arguments.h"
#include "app/studio/window/main_window.h"
#include "core/base/allocation.h"
#include "core/base/error.h"

#include <QApplication>
#include <QSettings>

#include <cstdio>

namespace fovea::studio {

namespace {

void say(std::FILE* stream, const QString& text) { std::fputs(text.toLocal8Bit().constData(), stream); }

int renderNow(const Arguments& arguments, int argc, char** argv)
{
    // A picture needs no display, and must not depend on one.
    qputenv("QT_QPA_PLATFORM", "offscreen");
    // Standard error is for one sentence of ours, not for the platform's remarks.
    qInstallMessageHandler([](QtMsgType, const QMessageLogContext&, const QString&) {});
    QApplication app(argc, argv);
    applyTheme(arguments.theme.isEmpty() ? Theme::Light : themeFromText(arguments.theme));
    renderPicture({arguments.model, arguments.view, arguments.out, arguments.side});
    return 0;
}

int openWindow(const Arguments& arguments, int argc, char** argv)
{
    keepFreedMemory();
    // The platform plugin would abort the program.
    if (qEnvironmentVariableIsEmpty("DISPLAY") && qEnvironmentVariableIsEmpty("WAYLAND_DISPLAY") && qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM"))
        throw Error(ErrorCode::Usage, "There is no display to open a window on: DISPLAY is not set. Use --render to write a picture instead.");
    QApplication app(argc, argv);
    QApplication::setDesktopFileName(QStringLiteral("fovea-studio"));
    const QString theme = arguments.theme.isEmpty() ? QSettings().value(QStringLiteral("theme")).toString() : arguments.theme;
    applyTheme(themeFromText(theme));
    MainWindow window;
    if (!arguments.screenshot.isEmpty()) {
        window.resize(1280, 720);
        window.takeScreenshot(arguments.screenshot, arguments.screenshotAfter);
    }
    window.selectWhenDrawn(arguments.select);
    window.show();
    if (!arguments.model.isEmpty()) window.openModel(arguments.model, arguments.side);
    else if (!arguments.screenshot.isEmpty()) window.shootNow();
    return QApplication::exec();
}

}  // namespace

int runStudio(int argc, char** argv)
{
    QStringList words;
    for (int i = 0; i < argc; ++i) words << QString::fromLocal8Bit(argv[i]);
    QCoreApplication::setOrganizationName(QStringLiteral("fovea"));
    QCoreApplication::setApplicationName(QStringLiteral("fovea-studio"));
    QCoreApplication::setApplicationVersion(QLatin1String(FOVEA_VERSION));
    QGuiApplication::setHighDpiScaleFactorRoundingPolicy(Qt::HighDpiScaleFactorRoundingPolicy::PassThrough);
    try {
        const Arguments arguments = parseArguments(words);
        if (arguments.help) return say(stdout, usageText()), 0;
        if (arguments.version) return say(stdout, QStringLiteral("fovea-studio %1\n").arg(QLatin1String(FOVEA_VERSION))), 0;
        return arguments.render ? renderNow(arguments, argc, argv) : openWindow(arguments, argc, argv);
    } catch (const Error& error) {
        say(stderr, QString::fromUtf8(error.what()) + QLatin1Char('\n'));
        return error.code() == ErrorCode::Internal ? 3 : 2;
    } catch (const std::exception& error) {
        say(stderr, QStringLiteral("Internal error: %1\n").arg(QString::fromUtf8(error.what())));
        return 3;
    }
}

}  // namespace fovea::studio
