# cpack.cmake: packages (deb, rpm, tar) of the installed tree.
