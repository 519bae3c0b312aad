"""The GraphQL of MLflow's page: each root field is a call of the REST API, of whose answer a query chooses fields."""
