#include "app/studio/window/run.h"

int main(int argc, char** argv) { return fovea::studio::runStudio(argc, argv); }
