// boost_source.cc: the one place where Asio's and Beast's own sources are compiled, so that no
// other file pays for them.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
