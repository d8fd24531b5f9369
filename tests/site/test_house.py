"""What counts the house: the imports that it finds, those that run up, and the circles."""

import house

ORDER = ["top", "middle", "bottom", "bottom/part"]


def test_an_import_is_found_alone_in_braces_and_by_its_parent() -> None:
    files = {
        "top/mod.rs": "use crate::middle::{self, a::{X, Y}};",
        "middle/mod.rs": "",
        "middle/a.rs": "use super::b::Z; // use crate::top;",
        "middle/b.rs": "fn f() { crate::bottom::g() }",
        "bottom/mod.rs": "",
    }
    graph = house.imports(files)
    assert graph["top/mod.rs"] == {"middle/mod.rs", "middle/a.rs"}
    assert graph["middle/a.rs"] == {"middle/b.rs"}
    assert graph["middle/b.rs"] == {"bottom/mod.rs"}


def test_an_import_of_a_layer_above_runs_up() -> None:
    graph = {"bottom/a.rs": {"top/b.rs"}, "top/b.rs": {"bottom/a.rs"}}
    assert house.upward(graph, ORDER) == ["bottom/a.rs -> top/b.rs"]


def test_a_part_of_a_layer_may_know_the_whole_layer() -> None:
    assert house.upward({"bottom/part/a.rs": {"bottom/mod.rs"}}, ORDER) == []


def test_files_that_reach_each_other_are_a_circle() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert house.circles(graph) == [{"a", "b", "c"}]


def test_the_order_is_read_from_the_map() -> None:
    text = "src/top/     is above\nsrc/bottom/part/  is below\nBeside them: `src/other.rs`"
    assert house.layers(text) == ["top", "bottom/part"]


def test_code_of_tests_is_left_out() -> None:
    assert house.production("fn a() {}\n#[cfg(test)]\nmod tests {\nuse crate::b;\n}") == "fn a() {}"
