"""The Glue Data Catalog: databases, and tables that say which columns data has."""
