"""What the authority does before an agency can subscribe, played on a node of `onenet up`: the division, the body that
runs the node and some enterprises are registered, the agency with its certificate, and a grant of what is registered.

Safe to run again: command ids are derived from what is asked, so the same thing is done once.
"""

import argparse
import datetime
import hashlib
import io
import ssl
import sys
import uuid
from pathlib import Path

import grpc

STUBS = Path(__file__).with_name("stubs")
sys.path.insert(0, str(STUBS))
vars(io)["__path__"] = [str(STUBS / "io")]  # see subscriber.py

from onenet.enterprise.v1 import enterprise_service_pb2 as enterprise  # noqa: E402
from onenet.enterprise.v1 import enterprise_service_pb2_grpc as enterprise_grpc  # noqa: E402
from onenet.exchange.v1 import exchange_service_pb2 as exchange  # noqa: E402
from onenet.exchange.v1.exchange_service_pb2_grpc import ExchangeServiceStub  # noqa: E402

PROVINCE = "41"
EVENT_TYPES = ["onenet.enterprise.v1.EnterpriseRegistered"]


def uscc(body: str) -> str:
    """A code with its check character (GB 32100-2015)."""
    digits = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    total = sum(digits.index(digit) * pow(3, place, 31) for place, digit in enumerate(body))
    return body + digits[-total % 31]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", required=True, help="host:port of the node")
    parser.add_argument("--ca", required=True, type=Path, help="authority that signed the node's certificate (PEM)")
    parser.add_argument("--certificate", required=True, type=Path, help="certificate of the node's operator (PEM)")
    parser.add_argument("--key", required=True, type=Path, help="its key (PEM)")
    parser.add_argument("--operator", required=True, help="the operator's USCC")
    parser.add_argument("--agency", required=True, help="the agency's USCC")
    parser.add_argument("--agency-certificate", required=True, type=Path, help="the agency's certificate (PEM)")
    parser.add_argument("--enterprises", type=int, default=3, help="how many enterprises are registered in all (3)")
    args = parser.parse_args()

    ca, key, certificate = (file.read_bytes() for file in (args.ca, args.key, args.certificate))
    channel = grpc.secure_channel(args.address, grpc.ssl_channel_credentials(ca, key, certificate))
    receipts = []

    def do(method, request) -> None:
        """Sends a command that has seen the one before it; what others have registered stays as it is."""
        request.command_id = str(uuid.uuid5(uuid.NAMESPACE_OID, str(request)))
        request.fresh_as.extend(receipts)
        try:
            receipts[:] = [method(request, timeout=60).receipt]
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.ALREADY_EXISTS:
                raise

    division = {"code": PROVINCE, "name": "河南省", "level": "DIVISION_LEVEL_PROVINCE", "kind": "DIVISION_KIND_STATUTORY"}
    do(enterprise_grpc.DivisionServiceStub(channel).RegisterDivision, enterprise.RegisterDivisionRequest(division=division))
    body = {"uscc": args.operator, "name": "省应急管理厅", "tier": "TIER_PROVINCE", "division": PROVINCE}
    body["functions"] = ["ORGANISATION_FUNCTION_COMPREHENSIVE"]
    do(
        enterprise_grpc.OrganisationServiceStub(channel).RegisterOrganisation,
        enterprise.RegisterOrganisationRequest(organisation=body),
    )
    for serial in range(1, args.enterprises + 1):
        plant = {"uscc": uscc(f"91410000{serial:09}"), "name": "某化工有限公司", "kind": "ENTERPRISE_KIND_UNIT"}
        plant |= {"division": PROVINCE, "industry": "2614", "address": "河南省"}
        request = enterprise.RegisterEnterpriseRequest(enterprise=plant)
        do(enterprise_grpc.EnterpriseServiceStub(channel).RegisterEnterprise, request)
    # the certificate is named by its SHA-256, so that no other certificate of the same name will do
    der = ssl.PEM_cert_to_DER_cert(args.agency_certificate.read_text())
    agency = {"uscc": args.agency, "name": "某接入单位", "division": PROVINCE}
    agency["certificate_sha256"] = [hashlib.sha256(der).hexdigest()]
    do(ExchangeServiceStub(channel).RegisterAgency, exchange.RegisterAgencyRequest(agency=agency))
    terms = {"event_types": EVENT_TYPES, "subtree": PROVINCE, "purpose": "试接入", "legal_basis": "政务数据共享条例"}
    terms["from_on"] = f"{datetime.date.today().year}-01-01"
    do(ExchangeServiceStub(channel).GiveGrant, exchange.GiveGrantRequest(agency=args.agency, terms=terms))
    print(f"{args.agency} may receive {', '.join(EVENT_TYPES)}; {args.enterprises} enterprises are registered")


if __name__ == "__main__":
    main()
