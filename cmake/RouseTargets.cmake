# How every target of the project is compiled, said once.

# One cache for every checkout: paths are told relative to the source tree, so a fresh clone finds what another compiled.
find_program(CCACHE ccache)
if(CCACHE)
    set(CCACHE_COMMAND ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=20G ${CCACHE})
    set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_COMMAND})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_COMMAND})
endif()

# Line numbers suffice for backtraces, profiles and core dumps; names of variables cost a third of the time to compile.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")

# lld links several times faster than bfd, which matters with dozens of test programs on two cores.
find_program(LLD ld.lld)
if(LLD)
    add_link_options(-fuse-ld=lld)
endif()

add_library(rouse_options INTERFACE)
target_compile_options(rouse_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                                               -Werror -fno-omit-frame-pointer)
# Off: what designated initialisers leave to defaults is meant (missing-field-initializers), and GCC 12's flow analysis
# of std::vector sees overflows that cannot be (the last three; the address sanitizer sees real ones).
target_compile_options(rouse_options INTERFACE -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(rouse_options INTERFACE -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow)
endif()
target_include_directories(rouse_options INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
if(ROUSE_SANITIZE)
    add_compile_options(-fsanitize=${ROUSE_SANITIZE} -fno-sanitize-recover=all -O1 -g1)
    if(ROUSE_SANITIZE MATCHES undefined)
        # A null pointer or a read past an object ends the program under the address sanitizer anyway; checked twice,
        # they cost the compiler a quarter of its time.
        add_compile_options(-fno-sanitize=null,object-size)
    endif()
    add_link_options(-fsanitize=${ROUSE_SANITIZE})
    if(ROUSE_SANITIZE MATCHES thread)
        # The sanitizer does not understand fences (gcc says so); Asio's are beside locks that it does.
        add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
    endif()
endif()
if(ROUSE_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# Sources of a target that are compiled together, which is for those that include much (Asio, JSON): whoever builds
# everything once saves most of the time. A release build, which people change and build again, compiles each by itself
# unless it is told otherwise.
if(ROUSE_SANITIZE)
    set(TOGETHER ON)
else()
    set(TOGETHER OFF)
endif()
option(ROUSE_COMPILE_TOGETHER "Compile several sources together: faster from nothing, slower after a change" ${TOGETHER})
macro(rouse_compile_together)
    if(ROUSE_COMPILE_TOGETHER)
        set(CMAKE_UNITY_BUILD ON)
        set(CMAKE_UNITY_BUILD_BATCH_SIZE 5)
        if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
            add_compile_options(-Wno-subobject-linkage)  # of an unnamed namespace in what seems to be a header
        endif()
    endif()
endmacro()

# rouse_library(NAME SOURCES... LINK libs...): one static library per folder, named after it.
function(rouse_library NAME)
    cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
    if(ARG_SOURCES)
        add_library(${NAME} STATIC ${ARG_SOURCES})
        target_link_libraries(${NAME} PUBLIC rouse_options ${ARG_LINK})
    else()
        add_library(${NAME} INTERFACE)
        target_link_libraries(${NAME} INTERFACE rouse_options ${ARG_LINK})
    endif()
endfunction()

# rouse_test(NAME [THREADS] [APART] SOURCES... LINK libs...): a GoogleTest program. THREADS: it runs several, so it belongs
# to what the thread sanitizer looks at (target and label `threads`). APART: each of its cases needs a process of its own,
# such as DPDK's, which is set up once in a process, or one of them may be skipped, which a program as a whole would not
# tell; of all others a process for each would be most of the time.
add_custom_target(threads)
function(rouse_test NAME)
    cmake_parse_arguments(ARG "THREADS;APART" "" "SOURCES;LINK" ${ARGN})
    add_executable(${NAME} ${ARG_SOURCES})
    target_link_libraries(${NAME} PRIVATE rouse_options ${ARG_LINK} GTest::gtest GTest::gmock GTest::gtest_main)
    if(ARG_THREADS)
        add_dependencies(threads ${NAME})
        set(LABELS LABELS threads)
    endif()
    if(ARG_APART)
        gtest_discover_tests(${NAME} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 300 ${LABELS})
    else()
        add_test(NAME ${NAME} COMMAND ${NAME} --gtest_brief=1)
        set_tests_properties(${NAME} PROPERTIES TIMEOUT 600 ${LABELS})
    endif()
endfunction()
