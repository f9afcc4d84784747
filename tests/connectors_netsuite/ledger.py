"""The record service of the loopback server: journals posted into its tables, as NetSuite would."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from tests.connectors_netsuite.suitetalk import Asked, Reply, Suitetalk, refusal

CREATED = Reply(204)
ACCOUNTS = {"1100": (11, "AcctRec"), "1260": (12, "Bank"), "6100": (61, "Expense"), "2201": (22, "OthCurrLiab")}
MEMBERS = {"externalId", "subsidiary", "tranDate", "currency", "memo", "approved", "postingPeriod", "line"}


class Ledger:
    """Chart, periods and what was posted. `needs_approval`: journals wait whatever they say."""

    def __init__(self, suitetalk: Suitetalk) -> None:
        self.suitetalk = suitetalk
        self.needs_approval = False
        self.posted = 0
        for number, (identifier, kind) in ACCOUNTS.items():
            suitetalk.insert("account", id=identifier, acctnumber=number, accttype=kind, isinactive="F")
        suitetalk.insert("customer", id=110, entityid="MKBRICO", isinactive="F")
        suitetalk.insert("currency", id=1, symbol="GBP", currencyprecision=2)
        suitetalk.insert("currency", id=2, symbol="JPY", currencyprecision=0)
        for identifier, name, month in ((5, "May 2026", "05"), (6, "Jun 2026", "06")):
            suitetalk.insert(
                "accountingperiod",
                id=identifier,
                periodname=name,
                startdate=f"2026-{month}-01",
                enddate=f"2026-{month}-30",
                isyear="F",
                isquarter="F",
                isadjust="F",
                closed="T" if identifier == 5 else "F",
                alllocked="F",
                arlocked="F",
            )
        suitetalk.records = self.answer

    def answer(self, asked: Asked) -> Reply:
        body = json.loads(asked.body)
        if strange := set(body) - MEMBERS:
            if asked.headers.get("x-netsuite-propertynamevalidation") != "error":
                return CREATED
            return refusal(400, "INVALID_CONTENT", f"Unknown property {sorted(strange)}")
        if asked.method == "PATCH" and (found := re.search(r"/journalEntry/(\d+)$", asked.path)):
            number = int(found[1])
            self.suitetalk.execute(
                f"update transaction set posting = 'T', approvalstatus = '2' where id = {number};"
                f"update transactionaccountingline set posting = 'T' where transaction = {number}"
            )
            return CREATED
        if asked.method != "POST" or not asked.path.endswith("/journalEntry"):
            return refusal(405, "METHOD_NOT_ALLOWED", "not here")
        with self.suitetalk.lock:
            return self._create(body)

    def _create(self, body: dict[str, Any]) -> Reply:
        lines = [{k: _plain(v) for k, v in line.items()} for line in body["line"]["items"]]
        total = sum((Decimal(x.get("debit", "0")) - Decimal(x.get("credit", "0")) for x in lines), Decimal(0))
        if total:
            return refusal(400, "USER_ERROR", "The amounts in a journal entry must balance.")
        taken = self.suitetalk.database.execute(
            "select count(*) from transaction where externalid = ?", [body["externalId"]]
        ).fetchall()[0][0]
        if taken:
            return refusal(400, "USER_ERROR", "Error while accessing a resource. This record already exists.")
        self.posted += 1
        number = 1000 + self.posted
        posting = "T" if body["approved"] and not self.needs_approval else "F"
        self.suitetalk.insert(
            "transaction",
            id=number,
            type="Journal",
            externalid=body["externalId"],
            tranid=f"JE{number}",
            trandate=body["tranDate"],
            postingperiod=body["postingPeriod"]["id"],
            posting=posting,
            voided="F",
            approvalstatus="2" if posting == "T" else "1",
        )
        for index, line in enumerate(lines):
            self.suitetalk.insert("transactionline", transaction=number, id=index, mainline="F")
            self.suitetalk.insert(
                "transactionaccountingline",
                transaction=number,
                transactionline=index,
                accountingbook=1,
                account=line["account"],
                posting=posting,
                debit=line.get("debit"),
                credit=line.get("credit"),
            )
        return Reply(204, headers={"Location": f"http://x/services/rest/record/v1/journalentry/{number}"})


def _plain(value: Any) -> str:
    return str(value["id"]) if isinstance(value, dict) else str(value)
