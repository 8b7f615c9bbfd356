"""Tables of a class as platforms and spreadsheets write them."""

import unicodedata

import pytest

from autograder.records.people import BadTable, called, read_people

TABLES = {
    "nbgrader": "id,first_name,last_name,email\nzoe,Zoë,Li,zoe@x.org\n",
    "moodle": "First name,Last name,Username,ID number,Email address\nZoë,Li,zoe,77,zoe@x.org\n",
    "semicolons": "id;email;name\r\nzoe;zoe@x.org;Zoë Li\r\n",
    "tabs": "ID\tE-Mail\tName\nzoe\tzoe@x.org\tZoë Li\n",
    "canvas": "Student,ID,SIS User ID,SIS Login ID,Email,A (1)\n    Points Possible,,,,,5\n"
    '"Li, Zoë",101,77,zoe,zoe@x.org,\n"Student, Test",9,,,,\n',
    "gradescope": "Name,SID,Email,id\nZoë Li,77,zoe@x.org,zoe\n",
}


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "nfd"])
def test_every_table_names_the_same_person(tmp_path, kind, encoding):
    path = tmp_path / "c.csv"
    text = unicodedata.normalize("NFD", TABLES[kind]) if encoding == "nfd" else TABLES[kind]
    path.write_bytes(text.encode("utf-8" if encoding == "nfd" else encoding))
    (one,), note = read_people(path)
    assert (one.id, one.email) == ("zoe", "zoe@x.org")
    assert [found.id for found in called([one], unicodedata.normalize("NFD", "Zoë Li"))] == ["zoe"]
    assert [found.id for found in called([one], "li, zoë")] == ["zoe"]
    assert ("Windows-1252" in note) == (encoding == "cp1252")
    assert ("no column id" in note) == (kind in ("moodle", "canvas"))


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2\n", b"id,email\nx,1\nx,2\n", b"\x00\x01\x81", b"id,email\n"])
def test_what_is_no_table_of_people_is_refused(tmp_path, data):
    (tmp_path / "c.csv").write_bytes(data)
    with pytest.raises(BadTable):
        read_people(tmp_path / "c.csv")
