# cpack.cmake: what is installed where, and the Debian package of it: cmake --install build/release, or
# cpack --config build/release/CPackConfig.cmake.
#
# Where things lie is part of how they work (runtimes look for plugins in /opt/cni/bin, plugins for their helpers in
# /usr/libexec/cnm), so the prefix is the root; DESTDIR puts the tree elsewhere.
if(CMAKE_INSTALL_PREFIX_INITIALIZED_TO_DEFAULT)
  set(CMAKE_INSTALL_PREFIX / CACHE PATH "root of the installed tree" FORCE)
endif()

# ---- programs -----------------------------------------------------------------------------------
install(TARGETS cnm-plugins DESTINATION opt/cni/bin)
# The other names of the plugin program: CPack would pack hard links as copies.
foreach(plugin bridge loopback host-local portmap firewall tuning bandwidth)
  install(CODE "file(CREATE_LINK cnm-plugins \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/opt/cni/bin/${plugin}\" SYMBOLIC)")
endforeach()
install(TARGETS cnm-xtables cnm-firewalld DESTINATION usr/libexec/cnm)
install(TARGETS cnmd DESTINATION usr/sbin)
install(TARGETS cnmctl DESTINATION usr/bin)
# Not in usr/bin: Debian's docker.io has a dnet there, libnetwork's, and both packages must fit on one host.
install(TARGETS dnet DESTINATION usr/libexec/cnm)

# ---- what goes with them ------------------------------------------------------------------------
install(FILES packaging/systemd/cnmd.service packaging/systemd/cnmd.socket packaging/systemd/cnmd-docker.socket
        DESTINATION usr/lib/systemd/system)
install(FILES packaging/systemd/sysusers.conf DESTINATION usr/lib/sysusers.d RENAME cnm.conf)
install(FILES packaging/systemd/tmpfiles.conf DESTINATION usr/lib/tmpfiles.d RENAME cnm.conf)
install(FILES conf/cnmd.toml DESTINATION etc/cnm)
install(FILES packaging/completion/cnmctl DESTINATION usr/share/bash-completion/completions)
file(GLOB CNM_EXAMPLES conf/*.conflist)
install(FILES ${CNM_EXAMPLES} DESTINATION usr/share/doc/cnm/examples)
foreach(section 1 5 7 8)
  file(GLOB CNM_PAGES packaging/man/*.${section})
  install(FILES ${CNM_PAGES} DESTINATION usr/share/man/man${section})
endforeach()
install(DIRECTORY packaging/docs/ DESTINATION usr/share/doc/cnm)
install(FILES README.md CHANGELOG.md DESTINATION usr/share/doc/cnm)
install(FILES LICENSE DESTINATION usr/share/doc/cnm RENAME copyright)

# ---- the package --------------------------------------------------------------------------------
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME cnm)
set(CPACK_PACKAGE_CONTACT "the cnm authors <cnm@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "container networks for CNI, Docker and REST clients")
set(CPACK_PACKAGE_DESCRIPTION "CNI plugins, the daemon cnmd (REST API, network and IPAM driver of the Docker Engine)
and its clients cnmctl and dnet: one core, so that every runtime's containers can be on one network.")
set(CPACK_PACKAGING_INSTALL_PREFIX /)
set(CPACK_STRIP_FILES OFF) # the linker has done it
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "nftables, iptables")
# It has plugins by the same paths, and others that are not ours.
set(CPACK_DEBIAN_PACKAGE_CONFLICTS kubernetes-cni)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/packaging/deb/conffiles ${CMAKE_SOURCE_DIR}/packaging/deb/postinst
    ${CMAKE_SOURCE_DIR}/packaging/deb/prerm ${CMAKE_SOURCE_DIR}/packaging/deb/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
