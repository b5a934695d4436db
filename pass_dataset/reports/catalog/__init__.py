"""The catalog page of a build: its facts, its pictures, and the page made of them."""
