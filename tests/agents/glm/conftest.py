"""What the tests of the client get."""

import pytest
from tests.agents.glm.talk import Talk


@pytest.fixture
def talk(tmp_path_factory: pytest.TempPathFactory) -> Talk:
    return Talk(tmp_path_factory.mktemp("t"))
