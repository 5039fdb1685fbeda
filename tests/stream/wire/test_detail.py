from stream.wire.detail import IN_FULL, LEASE_S, RENEW_S, DetailLeases


def test_a_bed_flows_in_full_until_its_lease_is_over() -> None:
    leases = DetailLeases()
    assert leases.renew("bed-1", 100.0)
    leases.expire(100.0 + LEASE_S - 0.1)
    assert "bed-1" in leases
    leases.expire(100.0 + LEASE_S)
    assert "bed-1" not in leases


def test_a_lease_that_is_renewed_goes_on_though_two_commands_are_lost() -> None:
    leases = DetailLeases()
    for now_s in (0.0, 3 * RENEW_S - 0.1, 6 * RENEW_S - 0.2):
        leases.expire(now_s)
        assert len(leases) == (now_s > 0)
        assert leases.renew("bed-1", now_s)


def test_as_many_beds_as_a_small_ward_has_flow_in_full_and_no_more() -> None:
    leases = DetailLeases()
    assert all(leases.renew(f"bed-{number}", 0.0) for number in range(IN_FULL))
    assert not leases.renew("one-more", 1.0)
    assert leases.renew("bed-0", 1.0), "who has a lease keeps it"
    assert leases.renew("one-more", LEASE_S), "the others are over"
