# What tests share. Included by every part that uses it, so that any one part can be built alone.
if(NOT TARGET fovea_test_support)
  add_library(fovea_test_support STATIC "${PROJECT_SOURCE_DIR}/tests/support/kind_networks.cpp"
              "${PROJECT_SOURCE_DIR}/tests/support/text_graph.cpp")
  target_link_libraries(fovea_test_support PUBLIC fovea::ops)
  add_library(fovea::test_support ALIAS fovea_test_support)
endif()
