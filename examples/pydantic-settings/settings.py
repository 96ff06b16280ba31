"""The environment of an API server. The names are those of the variables, in upper case, since the declaration has them."""

from typing import Literal, Optional

from pydantic import Field, PostgresDsn, RedisDsn, SecretStr
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    NODE_ENV: Literal["development", "test", "production"] = "development"
    PORT: int = Field(3000, ge=1, le=65535)
    DATABASE_URL: PostgresDsn
    REDIS_URL: Optional[RedisDsn] = None
    JWT_SECRET: SecretStr = Field(min_length=32)
    SESSION_SECRET: SecretStr = SecretStr("only-for-development")
    DEBUG: bool = False
    ALLOWED_HOSTS: list[str] = ["localhost"]
