// tab_table_test.cc: tables as Go's tab writer lays them out.
#include "cnm/dnet/tab_table.h"

#include <gtest/gtest.h>

namespace cnm::dnet {
namespace {

TEST(TabTable, LastCellIsPaddedOnlyIfATabEndsIt) {
  TabTable table;
  table.AddLine("NETWORK ID\tNAME\tTYPE");
  table.AddLine("0123456789ab\tblue\ttest\t");
  EXPECT_EQ(table.ToString(),
            "NETWORK ID          NAME                TYPE\n"
            "0123456789ab        blue                test                \n");
}

TEST(TabTable, ACellWiderThanTheMinimumWidensItsColumnOnly) {
  TabTable table;
  table.AddLine("A\tB\tC");
  table.AddLine("123456789012345678\tx\ty");
  EXPECT_EQ(table.ToString(),
            "A                    B                   C\n"
            "123456789012345678   x                   y\n");
}

TEST(TabTable, CountsCharacters) {
  TabTable table;
  table.AddLine("\xc3\xa9\tx");
  EXPECT_EQ(table.ToString(), "\xc3\xa9                   x\n");
}

TEST(TabTable, EmptyIsNothing) {
  EXPECT_EQ(TabTable().ToString(), "");
}

}  // namespace
}  // namespace cnm::dnet
