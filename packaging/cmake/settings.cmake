# The two interface targets every product and test target links: how we compile, and what we warn about.
add_library(cnm_settings INTERFACE)
target_include_directories(cnm_settings INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(cnm_settings INTERFACE -ffunction-sections -fdata-sections)
target_link_options(cnm_settings INTERFACE -Wl,--gc-sections -Wl,--build-id=sha1)
if(CNM_SANITIZE)
  target_compile_options(cnm_settings INTERFACE -fsanitize=${CNM_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=all)
  target_link_options(cnm_settings INTERFACE -fsanitize=${CNM_SANITIZE})
endif()
# -Os and no link-time optimisation: measured, a process that lives a millisecond is as fast as with -O2 and a fifth smaller in memory, because
# most of its time is the kernel's and its pages must be mapped; whole-program optimisation saved nothing and doubled the build.
set(CMAKE_CXX_FLAGS_RELEASE "-Os -DNDEBUG")
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_link_options(cnm_settings INTERFACE -s)
endif()

add_library(cnm_warnings INTERFACE)
target_compile_options(cnm_warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor
                       -Woverloaded-virtual
                       # designated initialisers leave the other members at their defaults on purpose
                       -Wno-missing-field-initializers)
if(CNM_WERROR)
  target_compile_options(cnm_warnings INTERFACE -Werror)
endif()
if(CNM_SANITIZE MATCHES "thread") # GCC does not see through the fences of Asio, and says so
  target_compile_options(cnm_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
endif()
if(CNM_BATCHES) # takes a source that another includes for a header, which may not have what is file-local in what is not
  target_compile_options(cnm_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endif()
if(CNM_FUZZ)
  target_compile_options(cnm_settings INTERFACE -fsanitize=fuzzer-no-link)
endif()
