def test_who_holds_it_goes_on_holding_it(tmp_path: Path) -> None:
    with hold(tmp_path):
        with hold(tmp_path / ".." / tmp_path.name, wait=False):
            pass
        assert holder(tmp_path) is not None
    assert holder(tmp_path) is None
