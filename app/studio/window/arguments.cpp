#include "app/studio/window/arguments.h"

#include "core/base/error.h"

#include <QRegularExpression>

namespace fovea::studio {

namespace {

[[noreturn]] void fail(const QString& message) { throw Error(ErrorCode::Usage, (message + QStringLiteral(" See fovea-studio --help.")).toStdString()); }

PerAxis<std::int64_t> readSide(const QString& value)
{
    static const QRegularExpression form(QStringLiteral("^(\\d{1,7})(?:x(\\d{1,7}))?$"));
    const auto match = form.match(value);
    if (!match.hasMatch()) fail(QStringLiteral("--size takes N or HxW in pixels, not '%1'.").arg(value));
    const std::int64_t height = match.captured(1).toLongLong();
    return {height, match.captured(2).isEmpty() ? height : match.captured(2).toLongLong()};
}

int readMilliseconds(const QString& text)
{
    bool ok = false;
    const int value = text.toInt(&ok);
    if (!ok || value < 0 || value > 600'000) fail(QStringLiteral("--screenshot-after takes milliseconds from 0 to 600000, but got '%1'.").arg(text));
    return value;
}

}  // namespace

Arguments parseArguments(const QStringList& arguments)
{
    Arguments out;
    for (int i = 1; i < arguments.size(); ++i) {
        const QString& option = arguments[i];
        const auto value = [&] {
            if (i + 1 >= arguments.size()) fail(QStringLiteral("%1 needs a value.").arg(option));
            return arguments[++i];
        };
        if (option == QLatin1String("--help") || option == QLatin1String("-h")) out.help = true;
        else if (option == QLatin1String("--version")) out.version = true;
        else if (option == QLatin1String("--render")) out.render = true, out.model = value();
        else if (option == QLatin1String("--view")) out.view = value();
        else if (option == QLatin1String("--size")) out.side = readSide(value());
        else if (option == QLatin1String("-o")) out.out = value();
        else if (option == QLatin1String("--screenshot")) out.screenshot = value();
        else if (option == QLatin1String("--screenshot-after")) out.screenshotAfter = readMilliseconds(value());
        else if (option == QLatin1String("--theme")) out.theme = value();
        else if (option == QLatin1String("--select")) out.select = value();
        else if (option.startsWith(QLatin1Char('-'))) fail(QStringLiteral("Unknown option '%1'.").arg(option));
        else if (out.model.isEmpty()) out.model = option;
        else fail(QStringLiteral("One model is opened at a time, but '%1' and '%2' were given.").arg(out.model, option));
    }
    if (out.render && out.view.isEmpty()) fail(QStringLiteral("--render needs --view graph or --view chart."));
    if (out.render && out.out.isEmpty()) fail(QStringLiteral("--render needs -o FILE.svg, FILE.pdf or FILE.png."));
    return out;
}

QString usageText()
{
    return QStringLiteral(
        "Usage: fovea-studio [MODEL] [--size N|HxW] [--theme light|dark|system]\n"
        "       fovea-studio --render MODEL --view graph|chart [--size N|HxW] -o FILE.svg|.pdf|.png\n"
        "\n"
        "MODEL is a .onnx, a .fovea, or zoo:NAME[,key=value...].\n"
        "\n"
        "  --size N|HxW        input side in pixels; without it the model's own\n"
        "  --render MODEL      write a picture instead of opening a window; needs no display\n"
        "  --view graph|chart  the picture's subject: the network or its receptive fields\n"
        "  -o FILE             the picture; its ending decides the format\n"
        "  --theme NAME        light, dark or system (window and pictures)\n"
        "  --select LAYER      select a layer after opening\n"
        "  --screenshot FILE   write a picture of the window once the network is drawn, and quit\n"
        "  --screenshot-after MS  how long after it is drawn; 1500 without it\n"
        "  --version, --help\n"
        "\n"
        "Example: fovea-studio model.onnx --size 32\n");
}

}  // namespace fovea::studio
