"""Prints what pydantic emits for settings of every kind that people have."""

import json
from enum import Enum
from typing import Literal, Optional

from pydantic import BaseModel, EmailStr, Field, HttpUrl, PostgresDsn, RedisDsn, SecretStr
from pydantic_settings import BaseSettings


class Level(str, Enum):
    DEBUG = "debug"
    INFO = "info"


class Server(BaseModel):
    host: str
    port: int = 80


class Settings(BaseSettings):
    DATABASE_URL: PostgresDsn
    REDIS_URL: Optional[RedisDsn] = None
    SITE: HttpUrl = HttpUrl("https://example.com")
    API_KEY: SecretStr = Field(min_length=8)
    SALT: SecretStr = SecretStr("not told")
    MODE: Literal["a", "b"] = "a"
    LEVEL: Level = Level.INFO
    PORT: int = Field(3000, gt=0, le=65535)
    RATIO: float = 0.5
    DEBUG: bool = False
    TAGS: list[str] = []
    SERVER: Optional[Server] = None
    ADMIN: EmailStr | None = None


print(json.dumps(Settings.model_json_schema()))
