/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to ops. Zydis says what an instruction is; the table here what the machine has for it. */
#include <Zydis/Zydis.h>
#include <string.h>

#include "machine/machine.h"
#include "machine/op.h"
#include "machine/vector.h"

struct translation {
    uint8_t code, detail;
};

#define WITH(mnemonic, op, detail) [ZYDIS_MNEMONIC_##mnemonic] = {WALK_OP_##op, detail},
#define IS(mnemonic, op) WITH(mnemonic, op, 0)
#define VECTOR(mnemonic, op) WITH(mnemonic, VECTOR, WALK_VECTOR_##op)
#define STRINGS(mnemonic, op) IS(mnemonic##B, op) IS(mnemonic##W, op) IS(mnemonic##Q, op)
#define IF(prefix, op)                                                                                                 \
    WITH(prefix##O, op, 0)                                                                                             \
    WITH(prefix##NO, op, 1)                                                                                            \
    WITH(prefix##B, op, 2)                                                                                             \
    WITH(prefix##NB, op, 3)                                                                                            \
    WITH(prefix##Z, op, 4)                                                                                             \
    WITH(prefix##NZ, op, 5)                                                                                            \
    WITH(prefix##BE, op, 6)                                                                                            \
    WITH(prefix##NBE, op, 7)                                                                                           \
    WITH(prefix##S, op, 8)                                                                                             \
    WITH(prefix##NS, op, 9)                                                                                            \
    WITH(prefix##P, op, 10)                                                                                            \
    WITH(prefix##NP, op, 11)                                                                                           \
    WITH(prefix##L, op, 12)                                                                                            \
    WITH(prefix##NL, op, 13)                                                                                           \
    WITH(prefix##LE, op, 14)                                                                                           \
    WITH(prefix##NLE, op, 15)

/* What is not here has the code of NOP, 0. */
static const struct translation translations[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
#include "machine/instructions.def"
};

/* These do nothing that can be seen in one thread's registers and memory. */
static bool is_nop(const ZydisDecodedInstruction *instruction)
{
    switch (instruction->mnemonic) {
    case ZYDIS_MNEMONIC_NOP:
    case ZYDIS_MNEMONIC_ENDBR64:
    case ZYDIS_MNEMONIC_PAUSE:
    case ZYDIS_MNEMONIC_LFENCE:
    case ZYDIS_MNEMONIC_MFENCE:
    case ZYDIS_MNEMONIC_SFENCE:
        return true;
    default:
        return instruction->meta.category == ZYDIS_CATEGORY_PREFETCH;
    }
}

static bool is_system(const ZydisDecodedInstruction *instruction)
{
    switch (instruction->meta.category) {
    case ZYDIS_CATEGORY_INTERRUPT:
    case ZYDIS_CATEGORY_IO:
    case ZYDIS_CATEGORY_IOSTRINGOP:
    case ZYDIS_CATEGORY_SYSCALL:
    case ZYDIS_CATEGORY_SYSRET:
    case ZYDIS_CATEGORY_SYSTEM:
    case ZYDIS_CATEGORY_VTX:
    case ZYDIS_CATEGORY_SGX:
        return true;
    default:
        return instruction->attributes & ZYDIS_ATTRIB_IS_PRIVILEGED;
    }
}

static void set_fault(struct walk_op *op, enum walk_fault fault)
{
    op->code = WALK_OP_FAULT;
    op->detail = (uint8_t)fault;
    op->immediate = 0;
}

/* ---- operands ---- */

/* false: a register that the machine does not have. */
static bool register_number(ZydisRegister name, uint8_t *number)
{
    if (name >= ZYDIS_REGISTER_AH && name <= ZYDIS_REGISTER_BH)
        *number = (uint8_t)(WALK_HIGH_BYTE + (name - ZYDIS_REGISTER_AH));
    else if (name >= ZYDIS_REGISTER_AL && name <= ZYDIS_REGISTER_BL)
        *number = (uint8_t)(name - ZYDIS_REGISTER_AL);
    else if (name >= ZYDIS_REGISTER_SPL && name <= ZYDIS_REGISTER_R15B)
        *number = (uint8_t)(WALK_RSP + (name - ZYDIS_REGISTER_SPL));
    else if (name >= ZYDIS_REGISTER_AX && name <= ZYDIS_REGISTER_R15W)
        *number = (uint8_t)(name - ZYDIS_REGISTER_AX);
    else if (name >= ZYDIS_REGISTER_EAX && name <= ZYDIS_REGISTER_R15D)
        *number = (uint8_t)(name - ZYDIS_REGISTER_EAX);
    else if (name >= ZYDIS_REGISTER_RAX && name <= ZYDIS_REGISTER_R15)
        *number = (uint8_t)(name - ZYDIS_REGISTER_RAX);
    else if (name >= ZYDIS_REGISTER_XMM0 && name <= ZYDIS_REGISTER_XMM15)
        *number = (uint8_t)(name - ZYDIS_REGISTER_XMM0);
    else
        return false;
    return true;
}

static bool is_general(ZydisRegister name) { return name >= ZYDIS_REGISTER_AL && name <= ZYDIS_REGISTER_R15; }

static bool set_memory(struct walk_op *op, const ZydisDecodedOperand *operand, walk_addr next)
{
    static const uint8_t bits[9] = {[1] = 0, [2] = 1, [4] = 2, [8] = 3};
    op->base = op->index = WALK_NO_REGISTER;
    op->displacement = operand->mem.disp.has_displacement ? (uint64_t)operand->mem.disp.value : 0;
    if (operand->mem.segment == ZYDIS_REGISTER_FS)
        op->address |= WALK_ADDRESS_FS;
    else if (operand->mem.segment == ZYDIS_REGISTER_GS)
        return false;
    if (operand->mem.base == ZYDIS_REGISTER_RIP || operand->mem.base == ZYDIS_REGISTER_EIP)
        op->displacement += next;
    else if (operand->mem.base && !register_number(operand->mem.base, &op->base))
        return false;
    if (operand->mem.index && !register_number(operand->mem.index, &op->index))
        return false;
    op->scale = operand->mem.index ? bits[operand->mem.scale & 15 ? operand->mem.scale : 1] : 0;
    return true;
}

/* The visible operands, to the left, to the right and third; forms that have none leave 0. */
static bool set_operands(struct walk_op *op, const ZydisDecodedOperand *operand, size_t count, walk_addr next)
{
    static const uint8_t forms[3][4] = {/* right:   none           register      memory         immediate */
                                        {WALK_FORM_R, WALK_FORM_RR, WALK_FORM_RM, WALK_FORM_RI},
                                        {WALK_FORM_M, WALK_FORM_MR, WALK_FORM_NONE, WALK_FORM_MI},
                                        {WALK_FORM_I, WALK_FORM_NONE, WALK_FORM_NONE, WALK_FORM_NONE}};
    unsigned kinds[2] = {3, 0};
    for (size_t i = 0; i < count; i++) {
        unsigned kind;
        uint8_t *number = i == 0 ? &op->left : i == 1 ? &op->right : &op->third;
        switch (operand[i].type) {
        case ZYDIS_OPERAND_TYPE_REGISTER:
            kind = 1;
            if (!register_number(operand[i].reg.value, number))
                return false;
            break;
        case ZYDIS_OPERAND_TYPE_MEMORY:
            kind = 2;
            if (!set_memory(op, &operand[i], next))
                return false;
            break;
        case ZYDIS_OPERAND_TYPE_IMMEDIATE:
            kind = 3;
            op->immediate = operand[i].imm.value.u + (operand[i].imm.is_relative ? next : 0);
            break;
        default:
            return false;
        }
        if (i < 2)
            kinds[i] = i == 0 ? kind - 1 : kind;
    }
    op->form = count ? forms[kinds[0]][kinds[1]] : WALK_FORM_NONE;
    op->width = count ? (uint8_t)(operand[0].size / 8) : 0;
    return count == 0 || op->form != WALK_FORM_NONE;
}

/* ---- what is particular ---- */

static bool translate_string(struct walk_op *op, const ZydisDecodedInstruction *instruction)
{
    /* Elements are found by RSI and RDI as they are: other segments and address sizes are not met. */
    if ((instruction->attributes & (ZYDIS_ATTRIB_HAS_SEGMENT_FS | ZYDIS_ATTRIB_HAS_SEGMENT_GS)) ||
        instruction->address_width != 64)
        return false;
    op->form = WALK_FORM_NONE;
    op->width = (uint8_t)(instruction->operand_width / 8);
    op->detail = instruction->attributes & ZYDIS_ATTRIB_HAS_REP     ? WALK_REPEAT
                 : instruction->attributes & ZYDIS_ATTRIB_HAS_REPE  ? WALK_REPEAT_WHILE_EQUAL
                 : instruction->attributes & ZYDIS_ATTRIB_HAS_REPNE ? WALK_REPEAT_WHILE_UNEQUAL
                                                                    : WALK_REPEAT_NONE;
    return true;
}

static bool translate_vector(struct walk_op *op, const ZydisDecodedOperand *operand)
{
    bool from_general = operand[1].type == ZYDIS_OPERAND_TYPE_REGISTER && is_general(operand[1].reg.value);
    bool to_general = operand[0].type == ZYDIS_OPERAND_TYPE_REGISTER && is_general(operand[0].reg.value);
    bool low4 = op->detail == WALK_VECTOR_MOVE_LOW4, low8 = op->detail == WALK_VECTOR_MOVE_LOW8;
    if (!low4 && !low8)
        return true;
    op->width = low4 ? 4 : 8;
    if (from_general)
        op->detail = WALK_VECTOR_FROM_GENERAL;
    else if (to_general)
        op->detail = WALK_VECTOR_TO_GENERAL;
    return true;
}

/* A near jump, call or return. With an operand-size prefix alone processors differ in what they do; with REX.W, which
 * compilers add as padding, the prefix is void. */
static bool translate_branch(struct walk_op *op, const ZydisDecodedInstruction *instruction)
{
    if (instruction->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR || instruction->operand_width == 16 ||
        ((instruction->attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE) && !instruction->raw.rex.W))
        return false;
    if (op->code == WALK_OP_JMP && op->form != WALK_FORM_I)
        op->code = WALK_OP_JMP_TO;
    else if (op->code == WALK_OP_CALL && op->form != WALK_FORM_I)
        op->code = WALK_OP_CALL_TO;
    if (op->code == WALK_OP_JRCXZ || op->code == WALK_OP_LOOP)
        op->width = instruction->mnemonic == ZYDIS_MNEMONIC_JECXZ || instruction->address_width == 32 ? 4 : 8;
    return true;
}

/* false: not implemented. */
static bool translate(struct walk_op *op, const ZydisDecodedInstruction *instruction,
                      const ZydisDecodedOperand *operand, walk_addr next)
{
    bool is_string = instruction->meta.category == ZYDIS_CATEGORY_STRINGOP;
    if (is_string)
        op->code = instruction->mnemonic == ZYDIS_MNEMONIC_MOVSD ? WALK_OP_MOVS : op->code;
    else if (op->code == WALK_OP_CMPS)
        return false; /* the comparison of doubles */
    if (is_string)
        return translate_string(op, instruction);
    size_t visible = 0;
    while (visible < instruction->operand_count && operand[visible].visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN)
        visible++;
    if (!set_operands(op, operand, visible, next))
        return false;
    if (instruction->address_width == 32)
        op->address |= WALK_ADDRESS_32;
    switch (op->code) {
    case WALK_OP_MOVZX:
    case WALK_OP_MOVSX:
        op->detail = (uint8_t)(operand[1].size / 8);
        return true;
    case WALK_OP_IMUL:
        if (visible == 1)
            op->code = WALK_OP_IMUL_WIDE;
        op->detail = visible == 3;
        return true;
    case WALK_OP_SHLD:
    case WALK_OP_SHRD:
        op->detail = operand[2].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
        return true;
    case WALK_OP_ANDN: /* left, third, right: as the others have it */
        op->third = op->right;
        if (operand[2].type == ZYDIS_OPERAND_TYPE_REGISTER)
            return register_number(operand[2].reg.value, &op->right);
        op->form = WALK_FORM_RM;
        return true;
    case WALK_OP_EXTEND:
    case WALK_OP_EXTEND_WIDE:
        op->width = (uint8_t)(instruction->operand_width / 8);
        return true;
    case WALK_OP_PUSH:
        op->width = (uint8_t)(instruction->operand_width / 8);
        return op->width == 8 || op->width == 2;
    case WALK_OP_VECTOR:
        if (instruction->mnemonic == ZYDIS_MNEMONIC_MOVSS || instruction->mnemonic == ZYDIS_MNEMONIC_MOVSD) {
            op->width = instruction->mnemonic == ZYDIS_MNEMONIC_MOVSS ? 4 : 8;
            if (op->form == WALK_FORM_RR)
                op->detail = op->width == 4 ? WALK_VECTOR_MERGE_LOW4 : WALK_VECTOR_MERGE_LOW8;
            return true;
        }
        return translate_vector(op, operand);
    case WALK_OP_JCC:
    case WALK_OP_JMP:
    case WALK_OP_CALL:
    case WALK_OP_RET:
    case WALK_OP_JRCXZ:
    case WALK_OP_LOOP:
        return translate_branch(op, instruction);
    default:
        return true;
    }
}

/* The forms that nearly all instructions have get codes of their own. */
static void specialise(struct walk_op *op)
{
    static const struct {
        uint8_t code, form, width, special;
    } table[] = {
        {WALK_OP_MOV, WALK_FORM_RR, 8, WALK_OP_MOVE8},  {WALK_OP_MOV, WALK_FORM_RM, 8, WALK_OP_LOAD8},
        {WALK_OP_MOV, WALK_FORM_MR, 8, WALK_OP_STORE8}, {WALK_OP_PUSH, WALK_FORM_R, 8, WALK_OP_PUSH8},
        {WALK_OP_POP, WALK_FORM_R, 8, WALK_OP_POP8},    {WALK_OP_TEST, WALK_FORM_RR, 8, WALK_OP_TEST8},
        {WALK_OP_TEST, WALK_FORM_RR, 4, WALK_OP_TEST4}, {WALK_OP_ADD, WALK_FORM_RI, 8, WALK_OP_ADD8},
        {WALK_OP_SUB, WALK_FORM_RI, 8, WALK_OP_SUB8},   {WALK_OP_CMP, WALK_FORM_RR, 8, WALK_OP_CMP8},
        {WALK_OP_CMP, WALK_FORM_RI, 8, WALK_OP_CMP8_I}, {WALK_OP_LEA, WALK_FORM_RM, 8, WALK_OP_LEA8},
    };
    if (op->code == WALK_OP_JCC && op->detail >> 1 == WALK_IF_ZERO >> 1)
        op->code = op->detail == WALK_IF_ZERO ? WALK_OP_JZ : WALK_OP_JNZ;
    if (op->code == WALK_OP_XOR && op->form == WALK_FORM_RR && op->width >= 4 && op->left == op->right)
        op->code = WALK_OP_CLEAR;
    for (size_t i = 0; i < sizeof table / sizeof *table && !op->address; i++)
        if (op->code == table[i].code && op->form == table[i].form && op->width == table[i].width) {
            op->code = table[i].special;
            return;
        }
}

void walk_op_decode(const uint8_t *bytes, size_t size, walk_addr pc, struct walk_op *op)
{
    ZydisDecoder decoder;
    ZydisDecodedInstruction instruction;
    ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT];
    *op = (struct walk_op){.base = WALK_NO_REGISTER, .index = WALK_NO_REGISTER};
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, size, &instruction, operand))) {
        set_fault(op, WALK_FAULT_UNDECODABLE);
        return;
    }
    op->length = instruction.length;
    if (is_nop(&instruction))
        return;
    const struct translation *translation = &translations[instruction.mnemonic];
    op->code = translation->code;
    op->detail = translation->detail;
    if (op->code == WALK_OP_FAULT)
        return;
    if (is_system(&instruction))
        set_fault(op, WALK_FAULT_SYSTEM);
    else if (op->code == WALK_OP_NOP || !translate(op, &instruction, operand, pc + op->length))
        set_fault(op, WALK_FAULT_UNIMPLEMENTED);
    else
        specialise(op);
}
