"""The raw tables of the Mirakl API: which members of a record are kept, and under which column name.

Personal data stops here: of a customer only country, state and the outward part of the postcode reach a table, of a
conversation only how many messages it has, and of a shop no person, address or bank account.
"""
