# The libraries we build on. Static archives where Debian has them, because the plugin program is fully static.
find_package(PkgConfig REQUIRED)
pkg_check_modules(NL3 REQUIRED IMPORTED_TARGET libnl-3.0)
pkg_check_modules(NETTLE REQUIRED IMPORTED_TARGET nettle)
pkg_check_modules(IPTC REQUIRED IMPORTED_TARGET libip4tc libip6tc)
pkg_check_modules(DBUS REQUIRED IMPORTED_TARGET dbus-1)
set(Boost_USE_STATIC_LIBS ${CNM_STATIC})
find_package(Boost 1.74 REQUIRED COMPONENTS program_options)
set(OPENSSL_USE_STATIC_LIBS ${CNM_STATIC})
find_package(OpenSSL 3.0 REQUIRED)
find_package(Threads REQUIRED)
find_path(FMT_INCLUDE fmt/format.h REQUIRED)
find_path(RAPIDJSON_INCLUDE rapidjson/document.h REQUIRED)
find_path(TOML_INCLUDE toml++/toml.h REQUIRED)

if(CNM_STATIC)
  find_library(NL3_ARCHIVE libnl-3.a REQUIRED)
  find_library(NETTLE_ARCHIVE libnettle.a REQUIRED)
else()
  set(NL3_ARCHIVE PkgConfig::NL3)
  set(NETTLE_ARCHIVE PkgConfig::NETTLE)
endif()

add_library(nl3 INTERFACE)
target_include_directories(nl3 SYSTEM INTERFACE ${NL3_INCLUDE_DIRS})
target_link_libraries(nl3 INTERFACE ${NL3_ARCHIVE} Threads::Threads)

# Shared libraries only: of the program cnm-xtables alone.
add_library(iptc INTERFACE)
target_link_libraries(iptc INTERFACE PkgConfig::IPTC)

add_library(nettle INTERFACE)
target_link_libraries(nettle INTERFACE ${NETTLE_ARCHIVE})

add_library(rapidjson INTERFACE)
target_include_directories(rapidjson SYSTEM INTERFACE ${RAPIDJSON_INCLUDE})

# Headers only, cnmd's configuration.
add_library(toml INTERFACE)
target_include_directories(toml SYSTEM INTERFACE ${TOML_INCLUDE})

# Debian ships {fmt} only as a shared library; a static program compiles its one source file itself. Locale-free.
add_library(cnm_fmt STATIC packaging/cmake/fmt.cc)
target_include_directories(cnm_fmt SYSTEM PUBLIC ${FMT_INCLUDE})
target_compile_definitions(cnm_fmt PUBLIC FMT_STATIC_THOUSANDS_SEPARATOR=',')
target_link_libraries(cnm_fmt PRIVATE cnm_settings)

# Asio and Beast are headers; their own sources are compiled once, in common/http/boost_source.cc. OpenSSL is Asio's TLS.
add_library(asio INTERFACE)
target_compile_definitions(asio INTERFACE BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
                           BOOST_ASIO_NO_DEPRECATED)
target_link_libraries(asio INTERFACE OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
