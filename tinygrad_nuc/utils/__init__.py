"""Around the engine: data sets and loaders, tables read from files, results written to them."""

from . import data
