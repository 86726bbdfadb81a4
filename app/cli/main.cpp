#include "app/cli/cli.h"

#include <iostream>

int main(int argc, char** argv)
{
    const int code = fovea::runCli({argv + 1, argv + argc}, std::cout, std::cerr);
    std::cout.flush();
    if (std::cout) return code;
    std::cerr << "fovea: Cannot write to standard output.\n";
    return 2;
}
