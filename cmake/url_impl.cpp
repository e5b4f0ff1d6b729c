// The compiled part of Boost.URL: compiled here, the program needs no shared library for it.
#include <boost/url/src.hpp>
